import type { PolicyKind } from "../ark/policy.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { AnchorCode } from "../machines/anchors.machine.ts";
import type { ExpiryStage } from "../machines/expiry.machine.ts";
import type { RecoveryReport } from "../machines/recovery.machine.ts";
import { policyKindOf } from "./free-coins.ts";
import { invoicesOf, type OpenInvoice } from "./invoice-view.ts";
import { type Movement, movementsOf } from "./movement-view.ts";
import type { Coin, Counters, QuarantineEntry } from "./wallet-rows.ts";
import { BACKUP, CONNECTION, MAILBOX, RECOVERY, SALVAGE, WALLET, type WalletState } from "./wallet-state.ts";

/**
 * The wallet's money, in sats. The total is Σ of all movements; it is spendable, awaiting registration, unsure, expired,
 * unanchored, locked, pending in and exiting together. Pending out and unconfirmed stand beside it.
 */
export interface Balance {
  readonly totalSats: bigint;
  /** Registered with the server: can be paid with. */
  readonly spendableSats: bigint;
  /** Credited, but the server does not have its signatures yet (mailbox.md W-14). */
  readonly awaitingRegistrationSats: bigint;
  /** The log does not say for sure that they are unspent, or the server did not know them: it has to be asked first. */
  readonly unsureSats: bigint;
  /** Past their expiry height: the server can take them at any time, and nobody else takes them as payment. */
  readonly expiredSats: bigint;
  /** Their anchor left the chain, or is spent there: back as soon as it is in order again (`vtxo.unanchored`). */
  readonly unanchoredSats: bigint;
  /** Inputs of payments that the server has not signed yet. */
  readonly lockedSats: bigint;
  /** Incoming over Lightning: promised by the server, and to be claimed. */
  readonly pendingInSats: bigint;
  /** Only an exit brings it back (`exit.required`). */
  readonly exitingSats: bigint;
  /** Not in the total: on its way out over Lightning, and back again if that fails. */
  readonly pendingOutSats: bigint;
  /** Not in the total: held because its anchor transaction is not in a block yet. */
  readonly unconfirmedSats: bigint;
}

/** A VTXO of the wallet. */
export interface WalletVtxo {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly state: "spendable" | "awaiting-registration" | "unsure" | "expired" | "unanchored" | "locked" | "exiting";
  /** The payment that has it locked, or null. */
  readonly lockedBy: string | null;
  readonly policy: PolicyKind;
  readonly expiryHeight: number;
  /** How far it has run out, as `vtxo.expiring` said; null if it has not. `Wallet.expiring` tells it of this moment. */
  readonly expiryStage: ExpiryStage | null;
  /** What the chain has against its anchor, as `vtxo.unanchored` said; null if nothing. */
  readonly anchorCode: AnchorCode | null;
  readonly exitDepth: number;
  readonly keyIndex: number;
  readonly checkpoint: bigint;
  /** The record that credited it. */
  readonly seq: bigint;
  /** Warnings, such as `dust` or `nonStandard` (vtxo.md §10). */
  readonly flags: readonly string[];
}

/** A VTXO that is not money now, kept with its reason (mailbox.md W-4). */
export interface QuarantinedVtxo {
  /** Names it in this wallet. */
  readonly key: string;
  /** Null if not even the id can be read. */
  readonly id: VtxoId | null;
  readonly amountSats: bigint | null;
  readonly code: string;
  readonly message: string;
  /** Whether no retry can change the answer. */
  readonly permanent: boolean;
  readonly checkpoint: bigint;
  readonly heldAtMs: number;
  /** How often it was looked at again in vain, and when it is the next time unless it is permanent. */
  readonly attempts: number;
  readonly nextTryAtMs: number;
}

/** A salvaged wallet that does not know yet what happened in the records it lost. */
export interface Reconciling {
  /** The last record that was kept. */
  readonly keptSeq: bigint;
  /** The last record that the old log is known to have had; null where nothing is known to be lost. */
  readonly lostTo: bigint | null;
  /** VTXOs about which the server has to be asked. */
  readonly unsureVtxos: number;
}

/** A wallet that was made to restore its seed. */
export interface Restore {
  /** `restoring` while an id of the backup has no answer yet, or the mailbox was not read to its end. */
  readonly state: "restoring" | "restored";
  /** Whether every id of the backup came to an answer that this wallet understands (mailbox.md M-68). */
  readonly isComplete: boolean;
  /** Null until the backup was gone through once. */
  readonly report: RecoveryReport | null;
}

/** All that is derived from the log, at one moment. */
export interface WalletStatus {
  readonly network: string;
  readonly fingerprint: string;
  readonly serverUrl: string;
  readonly chainUrl: string;
  readonly serverPubkey: string | null;
  readonly mailboxPubkey: string | null;
  readonly checkpoint: bigint;
  /** Checkpoint and reason of the package that could not be decided, if one stands there now. */
  readonly halted: { readonly checkpoint: bigint; readonly code: string } | null;
  /** What the log of a salvaged wallet lost, until server and mailbox were asked (DESIGN §5); nothing can be spent then. */
  readonly reconciling: Reconciling | null;
  /** What came of restoring the seed; null for a wallet that began with nothing. */
  readonly restore: Restore | null;
  /** VTXOs that are not in the backup at the server although they were posted, when it was read back last; null before. */
  readonly backup: { readonly checkedAtMs: number; readonly missing: number; readonly missingIds: readonly VtxoId[] } | null;
  readonly connection: string;
  readonly balance: Balance;
  readonly vtxos: readonly WalletVtxo[];
  readonly movements: readonly Movement[];
  readonly invoices: readonly OpenInvoice[];
  readonly quarantine: readonly QuarantinedVtxo[];
  readonly counters: Readonly<Counters>;
  /** Commands without a result. */
  readonly openCommands: number;
  /** Payments and rounds that a notice asked to be looked at and that were not since (mailbox.md W-24). */
  readonly openNotices: number;
  readonly nextKeyIndex: number;
  readonly records: bigint;
  readonly epoch: bigint;
}

export function balanceOf(state: Readonly<WalletState>): Balance {
  const sums = new Map<keyof Balance, bigint>();
  for (const coin of state.coins.values()) {
    const part = balancePartOf(coin);
    sums.set(part, (sums.get(part) ?? 0n) + coin.amountSats);
  }
  const unconfirmed = [...state.quarantine.values()].filter(isUnconfirmed);
  return balanceFrom((part) => sums.get(part) ?? 0n, unconfirmedOf(unconfirmed, state));
}

/** Whether a held item waits for nothing but the block of its anchor. */
export function isUnconfirmed({ code }: QuarantineEntry): boolean {
  return code === "ANCHOR_UNCONFIRMED";
}

/** What such items come to. Other bytes of the same VTXO are another item, but no more money. */
export function unconfirmedOf(items: Iterable<QuarantineEntry>, state: Pick<WalletState, "isKnown">): bigint {
  const amounts = new Map<VtxoId, bigint>();
  for (const { id, amountSats } of items) if (id !== null && !state.isKnown(id)) amounts.set(id, amountSats ?? 0n);
  return [...amounts.values()].reduce((total, sats) => total + sats, 0n);
}

/** The balance of its parts. */
export function balanceFrom(sumOfPart: (part: keyof Balance) => bigint, unconfirmedSats: bigint): Balance {
  const parts = {
    spendableSats: sumOfPart("spendableSats"),
    awaitingRegistrationSats: sumOfPart("awaitingRegistrationSats"),
    unsureSats: sumOfPart("unsureSats"),
    expiredSats: sumOfPart("expiredSats"),
    unanchoredSats: sumOfPart("unanchoredSats"),
    lockedSats: sumOfPart("lockedSats"),
    pendingInSats: sumOfPart("pendingInSats"),
    exitingSats: sumOfPart("exitingSats"),
  };
  const totalSats = Object.values(parts).reduce((total, sats) => total + sats, 0n);
  return { totalSats, ...parts, pendingOutSats: sumOfPart("pendingOutSats"), unconfirmedSats };
}

/** The part of the balance in which a VTXO counts. */
export function balancePartOf(coin: Coin): Exclude<keyof Balance, "totalSats" | "unconfirmedSats"> {
  const kind = policyKindOf(coin);
  const isPaying = kind === "server-htlc-send-v1" || kind === "server-htlc-send";
  if (isPaying && coin.exitBy === undefined) return "pendingOutSats";
  switch (stateOf(coin)) {
    case "spendable":
      return "spendableSats";
    case "awaiting-registration":
      return "awaitingRegistrationSats";
    case "unsure":
      return "unsureSats";
    case "expired":
      return "expiredSats";
    case "unanchored":
      return "unanchoredSats";
    case "exiting":
      return "exitingSats";
    case "locked":
      return kind === "pubkey" ? "lockedSats" : "pendingInSats";
  }
}

/** By expiry, then the largest first (mailbox.md §6.1). */
export function vtxosOf(state: WalletState): WalletVtxo[] {
  return [...state.coins.values()]
    .map((coin) => {
      const { id, amountSats, expiryHeight, expiryStage = null, anchorCode = null } = coin;
      const { exitDepth, keyIndex, checkpoint, seq, flags } = coin;
      const place = { expiryHeight, expiryStage, anchorCode, exitDepth, keyIndex, checkpoint, seq, flags };
      return { id, amountSats, state: stateOf(coin), lockedBy: coin.holder ?? null, policy: policyKindOf(coin), ...place };
    })
    .sort((a, b) => a.expiryHeight - b.expiryHeight || (a.amountSats < b.amountSats ? 1 : a.amountSats > b.amountSats ? -1 : 0));
}

export function quarantineOf(state: WalletState): QuarantinedVtxo[] {
  return [...state.quarantine.values()].map(({ source: _, movement: _movement, ...item }) => item);
}

export function statusOf(state: WalletState): WalletStatus {
  const wallet = state.contextOf(WALLET) ?? {};
  const mailbox = state.contextOf(MAILBOX);
  const haltedAt = mailbox?.haltedAt ?? null;
  return {
    network: String(wallet.network ?? ""),
    fingerprint: String(wallet.fingerprint ?? ""),
    serverUrl: String(wallet.serverUrl ?? ""),
    chainUrl: String(wallet.chainUrl ?? ""),
    serverPubkey: (wallet.serverPubkey ?? null) as string | null,
    mailboxPubkey: (wallet.mailboxPubkey ?? null) as string | null,
    checkpoint: state.checkpoint,
    halted: typeof haltedAt === "bigint" ? { checkpoint: haltedAt, code: String(mailbox?.haltCode) } : null,
    reconciling: reconcilingOf(state),
    restore: restoreOf(state),
    backup: backupOf(state),
    connection: state.instances.get(CONNECTION)?.state ?? "Stopped",
    balance: balanceOf(state),
    vtxos: vtxosOf(state),
    movements: movementsOf(state),
    invoices: invoicesOf(state),
    quarantine: quarantineOf(state),
    counters: { ...state.counters },
    openCommands: state.outbox.size,
    openNotices: state.drives.size,
    nextKeyIndex: state.nextKeyIndex,
    records: state.seq,
    epoch: (wallet.epoch ?? 0n) as bigint,
  };
}

/** The first of the reasons against paying with it. */
function stateOf({ registered, isUnsure, expiryStage, anchorCode, holder, exitBy }: Coin): WalletVtxo["state"] {
  if (exitBy !== undefined) return "exiting";
  if (holder !== undefined) return "locked";
  if (isUnsure === true) return "unsure";
  if (expiryStage === "expired") return "expired";
  if (anchorCode !== undefined) return "unanchored";
  return registered ? "spendable" : "awaiting-registration";
}

function backupOf(state: WalletState): WalletStatus["backup"] {
  const backup = state.contextOf(BACKUP) as unknown as NonNullable<WalletStatus["backup"]> | undefined;
  return backup === undefined || backup.checkedAtMs === 0 ? null : backup;
}

function restoreOf(state: WalletState): Restore | null {
  const instance = state.instances.get(RECOVERY);
  if (instance === undefined) return null;
  const report = instance.context.report as RecoveryReport | null;
  const isDone = instance.state === "Restored";
  const isComplete = isDone && report !== null && report.unresolved === 0 && report.malformed === 0;
  return { state: isDone ? "restored" : "restoring", isComplete, report };
}

function reconcilingOf(state: WalletState): Reconciling | null {
  if (!state.isReconciling()) return null;
  const { keptSeq, lostTo } = state.contextOf(SALVAGE) as { keptSeq: bigint; lostTo: bigint | null };
  return { keptSeq, lostTo, unsureVtxos: [...state.coins.values()].filter(({ isUnsure }) => isUnsure === true).length };
}
