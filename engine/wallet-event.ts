import type { VtxoId } from "../ark/vtxo-id.ts";
import type { AnchorCode } from "../machines/anchors.machine.ts";
import { type ActionOutcome, idsOf, isAction, movementIdOf, sumOf } from "../machines/books.ts";
import { MIGRATED } from "../machines/event-schemas.ts";
import type { ExpiryChange } from "../machines/expiry.machine.ts";
import { type HeldItem, originOf, type ReceiveMovement } from "../machines/package.ts";
import type { RecoveryReport } from "../machines/recovery.machine.ts";
import type { WithdrawnVtxo } from "../machines/salvage.machine.ts";
import { anchorWords } from "./fold-anchors.ts";
import { withdrawalId } from "./fold-salvage.ts";
import type { Transition } from "./transition.ts";
import { CONNECTION, MAILBOX, WALLET } from "./wallet-state.ts";

/** Members of every event. */
export interface EventBase {
  /** The record's `seq`: unique, and where to go on with `events({ from: seq + 1n })`. */
  readonly seq: bigint;
  readonly atMs: number;
}

/** Something that happened in a wallet. The union grows; members of a type do not change their meaning. */
export type WalletEvent = EventBase &
  (
    | { readonly type: "wallet.created"; readonly network: string; readonly fingerprint: string }
    | { readonly type: "wallet.opened"; readonly epoch: bigint }
    | { readonly type: "server.pinned"; readonly serverPubkey: string; readonly mailboxPubkey: string }
    | { readonly type: "address.issued"; readonly keyIndex: number }
    | {
        readonly type: "connection.changed";
        readonly state: string;
        /** Why it waits or stopped, or null. */
        readonly code: string | null;
      }
    | {
        readonly type: "payment.received";
        readonly checkpoint: bigint;
        readonly movement: string;
        /** What it added to the balance. */
        readonly amountSats: bigint;
        readonly vtxos: readonly VtxoId[];
        /** VTXOs that the wallet had, which this seed spent elsewhere to make these (mailbox.md W-47). */
        readonly replaced: readonly VtxoId[];
        /** Whether it was held before. */
        readonly fromQuarantine: boolean;
      }
    | { readonly type: "message.ignored"; readonly checkpoint: bigint; readonly rule: string }
    | { readonly type: "package.halted"; readonly checkpoint: bigint; readonly code: string; readonly message: string }
    | { readonly type: "package.redelivered"; readonly checkpoint: bigint }
    | { readonly type: "mailbox.resumed"; readonly checkpoint: bigint }
    | {
        readonly type: "vtxo.quarantined";
        readonly key: string;
        readonly id: VtxoId | null;
        readonly amountSats: bigint | null;
        readonly code: string;
        readonly message: string;
        readonly permanent: boolean;
        readonly checkpoint: bigint;
      }
    /** The log was damaged and lost its end: the wallet asks server and mailbox what was in it. */
    | {
        readonly type: "wallet.salvaged";
        readonly keptSeq: bigint;
        readonly lostTo: bigint | null;
        readonly damage: readonly string[];
        readonly keyGap: number;
      }
    /** A restore went through the backup; `unanswered` of it is asked about again at the next connection. */
    | ({ readonly type: "wallet.restored" } & RecoveryReport)
    /** VTXOs are missing in the backup at the server, or none any more: those are not found again from the seed alone. */
    | { readonly type: "backup.checked"; readonly missing: number; readonly missingIds: readonly VtxoId[] }
    /** What server and mailbox know is known again. */
    | { readonly type: "wallet.reconciled" }
    /**
     * VTXOs that the server does not call unspent, after a salvage, or where it did not know an input of a payment; each is
     * in quarantine now.
     */
    | {
        readonly type: "vtxos.withdrawn";
        readonly movement: string;
        readonly amountSats: bigint;
        readonly vtxos: readonly VtxoId[];
      }
    /** A payment began, went on or ended. */
    | ({ readonly type: "payment.changed" } & PaymentNotice)
    /** As above, and only an exit brings these VTXOs back; it should begin before that height. They pay nothing any more. */
    | ({ readonly type: "exit.required"; readonly vtxos: readonly VtxoId[]; readonly byHeight: number } & PaymentNotice)
    /** The owner made the exits that a payment left when it ended, or let them go: the VTXOs are the wallet's no more. */
    | {
        readonly type: "exit.ended";
        readonly movement: string;
        readonly amountSats: bigint;
        readonly vtxos: readonly VtxoId[];
      }
    /** VTXOs came nearer to their expiry, or past it; or the tip is lower than it had seemed, and the stage is null. */
    | { readonly type: "vtxo.expiring"; readonly tipHeight: number; readonly vtxos: readonly ExpiryNotice[] }
    /** The chain has something against the anchors of VTXOs: nothing pays with these; or nothing any more, and the code is null. */
    | { readonly type: "vtxo.unanchored"; readonly tipHeight: number; readonly vtxos: readonly AnchorNotice[] }
  );

/** Where a payment is. */
export interface PaymentNotice {
  /** Its id, as `Payment.id`. */
  readonly payment: string;
  /** What it moved, as soon as there is such a movement. */
  readonly movement: string;
  readonly state: string;
  readonly status: "pending" | ActionOutcome["status"];
  /** Why it did not succeed, or why it waits; null if nothing is in the way. */
  readonly code: string | null;
  readonly message: string | null;
}

/** A VTXO of which `vtxo.expiring` tells. */
export interface ExpiryNotice extends ExpiryChange {
  /** Blocks from the tip to its expiry height; 0 if it is reached. */
  readonly blocksLeft: number;
}

/** A VTXO of which `vtxo.unanchored` tells. */
export interface AnchorNotice {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  /** The output from which it hangs, `<txid>:<index>`. */
  readonly anchor: string;
  readonly code: AnchorCode | null;
  /** What was expected of the anchor and what came; null beside no code. */
  readonly message: string | null;
}

type ExitedMembers = {
  readonly movement: string;
  readonly vtxos: readonly { readonly id: VtxoId; readonly amountSats: bigint }[];
};
type SalvagedMembers = Omit<Extract<WalletEvent, { readonly type: "wallet.salvaged" }>, keyof EventBase | "type">;

/** What a record means to the owner of the wallet, or undefined where it is bookkeeping. */
export function toWalletEvent(transition: Transition): WalletEvent | undefined {
  if (transition.event.type === MIGRATED) return undefined;
  switch (transition.machine) {
    case "wallet":
      return fromWallet(transition);
    case "connection":
      return fromConnection(transition);
    case "mailbox":
      return fromMailbox(transition);
    case "message":
      return fromMessage(transition);
    case "quarantined":
      return fromQuarantined(transition);
    case "salvage":
      return fromSalvage(transition);
    case "expiry":
      return fromExpiry(transition);
    case "anchors":
      return fromAnchors(transition);
    case "recovery":
      return fromRecovery(transition);
    case "backup":
      return fromBackup(transition);
    case "exit":
      return fromExit(transition);
    default:
      return isAction(transition.machine) ? fromAction(transition) : undefined;
  }
}

function fromAction({ seq, atMs, instance, state, change, event, effects }: Transition): WalletEvent {
  const code = typeof event.code === "string" ? event.code : null;
  // A receive succeeded a record ago, when it was claimed; what was left was the backup of its ids.
  const going = { status: state === "Completed" ? "successful" : "pending", code, message: null };
  const { status, ...reason } = (change.outcome ?? going) as Pick<PaymentNotice, "status" | "code" | "message">;
  const notice = { payment: instance, movement: movementIdOf(instance), state, status, ...reason };
  const exits = effects.flatMap((effect) => (effect.type === "requireExit" ? [effect.params] : []));
  if (exits.length === 0) return { seq, atMs, type: "payment.changed", ...notice };
  const byHeight = Math.min(...exits.map((exit) => exit.byHeight));
  return { seq, atMs, type: "exit.required", ...notice, vtxos: exits.flatMap(({ ids }) => ids), byHeight };
}

function fromWallet({ seq, atMs, event, instance }: Transition): WalletEvent | undefined {
  if (instance !== WALLET) return undefined;
  switch (event.type) {
    case "wallet.created":
      return { seq, atMs, type: event.type, network: String(event.network), fingerprint: String(event.fingerprint) };
    case "wallet.opened":
      return { seq, atMs, type: event.type, epoch: event.epoch as bigint };
    case "server.pinned": {
      const { serverPubkey, mailboxPubkey } = event as unknown as { serverPubkey: string; mailboxPubkey: string };
      return { seq, atMs, type: event.type, serverPubkey, mailboxPubkey };
    }
    case "address.issued":
      return { seq, atMs, type: event.type, keyIndex: Number(event.keyIndex) };
    default:
      return undefined;
  }
}

function fromConnection({ seq, atMs, instance, state, event }: Transition): WalletEvent | undefined {
  if (instance !== CONNECTION || event.type === "mailbox.progressed") return undefined;
  return { seq, atMs, type: "connection.changed", state, code: typeof event.code === "string" ? event.code : null };
}

function fromMailbox({ seq, atMs, instance, version, change, event }: Transition): WalletEvent | undefined {
  // The first step names the whole context, without a halt that could have ended.
  if (instance !== MAILBOX || version === 1n || change.haltedAt !== null) return undefined;
  return { seq, atMs, type: "mailbox.resumed", checkpoint: event.checkpoint as bigint };
}

function fromMessage({ seq, atMs, instance, state, change, event }: Transition): WalletEvent | undefined {
  const checkpoint = BigInt(instance.split("/")[1] ?? 0);
  if (event.type === "message.redelivered") return { seq, atMs, type: "package.redelivered", checkpoint };
  if (event.type === "package.undecided" || event.type === "package.poisoned") {
    return { seq, atMs, type: "package.halted", checkpoint, code: String(event.code), message: String(event.message) };
  }
  if (state === "Ignored" || state === "Kept")
    return { seq, atMs, type: "message.ignored", checkpoint, rule: String(change.rule) };
  return event.type === "package.vetted" ? received(seq, atMs, checkpoint, change, false) : undefined;
}

function fromQuarantined({ seq, atMs, instance, state, change, event }: Transition): WalletEvent | undefined {
  if (state === "Held" && change.item !== undefined) {
    const { source: _, movement: _movement, ...item } = change.item as unknown as HeldItem;
    return { seq, atMs, type: "vtxo.quarantined", key: instance.slice("quarantined/".length), ...item };
  }
  if (state !== "Released" || event.type !== "item.vetted") return undefined;
  const { id } = change.movement as ReceiveMovement;
  return received(seq, atMs, originOf(id) === "mailbox" ? BigInt(id.split(".")[1] ?? 0) : 0n, change, true);
}

function fromSalvage({ seq, atMs, event }: Transition): WalletEvent | undefined {
  switch (event.type) {
    case "wallet.salvaged": {
      const { keptSeq, lostTo, damage, keyGap } = event as unknown as SalvagedMembers;
      return { seq, atMs, type: event.type, keptSeq, lostTo, damage, keyGap };
    }
    case "wallet.reconciled":
      return { seq, atMs, type: event.type };
    default: {
      const withdrawn = event.withdrawn as readonly WithdrawnVtxo[];
      if (withdrawn.length === 0) return undefined;
      const amountSats = -withdrawn.reduce((sum, vtxo) => sum + vtxo.amountSats, 0n);
      const vtxos = withdrawn.map(({ id }) => id);
      return { seq, atMs, type: "vtxos.withdrawn", movement: withdrawalId(seq), amountSats, vtxos };
    }
  }
}

function fromExpiry({ seq, atMs, event }: Transition): WalletEvent {
  const { height, changes } = event as unknown as { readonly height: number; readonly changes: readonly ExpiryChange[] };
  const vtxos = changes.map((change) => ({ ...change, blocksLeft: Math.max(0, change.expiryHeight - height) }));
  return { seq, atMs, type: "vtxo.expiring", tipHeight: height, vtxos };
}

/** Undefined where nothing is believed yet that was not before. */
function fromAnchors(transition: Transition): WalletEvent | undefined {
  const { seq, atMs, event, change } = transition;
  const vtxos = anchorWords(transition, change).flatMap(({ vtxo, outpoint, found, isBelieved }): AnchorNotice[] => {
    const { code = null, message = null } = found ?? {};
    return isBelieved && code !== vtxo.before
      ? [{ id: vtxo.id, amountSats: vtxo.amountSats, anchor: outpoint, code, message }]
      : [];
  });
  return vtxos.length === 0 ? undefined : { seq, atMs, type: "vtxo.unanchored", tipHeight: Number(event.height), vtxos };
}

function fromRecovery({ seq, atMs, event }: Transition): WalletEvent | undefined {
  if (event.type !== "recovery.scanned") return undefined;
  return { seq, atMs, type: "wallet.restored", ...(event.report as RecoveryReport) };
}

function fromBackup({ seq, atMs, event, change, version }: Transition): WalletEvent | undefined {
  if (event.type !== "backup.checked") return undefined;
  const isNews = version === 1n ? event.missing !== 0 : change.missing !== undefined || change.missingIds !== undefined;
  if (!isNews) return undefined;
  return { seq, atMs, type: "backup.checked", missing: Number(event.missing), missingIds: event.missingIds as VtxoId[] };
}

function fromExit({ seq, atMs, event }: Transition): WalletEvent {
  const { movement, vtxos } = event as unknown as ExitedMembers;
  return { seq, atMs, type: "exit.ended", movement, amountSats: -sumOf(vtxos), vtxos: idsOf(vtxos) };
}

function received(
  seq: bigint,
  atMs: number,
  checkpoint: bigint,
  change: Transition["change"],
  fromQuarantine: boolean,
): WalletEvent {
  const { id, amountSats, inputs = [], outputs } = change.movement as ReceiveMovement;
  const vtxos = { vtxos: outputs, replaced: inputs };
  return { seq, atMs, type: "payment.received", checkpoint, movement: id, amountSats, ...vtxos, fromQuarantine };
}
