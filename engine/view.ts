import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ExpiryStage } from "../machines/expiry.machine.ts";
import {
  CONNECTION,
  type Coin,
  type Counters,
  isReconciling,
  MAILBOX,
  SALVAGE,
  WALLET,
  type WalletState,
} from "./wallet-state.ts";

/** The wallet's money, in sats. */
export interface Balance {
  /** Σ of all movements, and Σ of all VTXOs that are the wallet's. */
  readonly totalSats: bigint;
  /** Registered with the server: can be paid with. */
  readonly spendableSats: bigint;
  /** Credited, but the server does not have its signatures yet (mailbox.md W-14). */
  readonly awaitingRegistrationSats: bigint;
  /** Credited, but the log lost its end and the server was not asked yet whether they are unspent. */
  readonly unsureSats: bigint;
  /** Past their expiry height: the server can take them at any time, and nobody else takes them as payment. */
  readonly expiredSats: bigint;
  /** Not in the total: held because its anchor transaction is not in a block yet. */
  readonly unconfirmedSats: bigint;
}

/** A VTXO of the wallet. */
export interface WalletVtxo {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly state: "spendable" | "awaiting-registration" | "unsure" | "expired";
  readonly expiryHeight: number;
  /** How far it has run out, as `vtxo.expiring` said; null if it has not. `Wallet.expiring` tells it of this moment. */
  readonly expiryStage: ExpiryStage | null;
  readonly exitDepth: number;
  readonly keyIndex: number;
  readonly checkpoint: bigint;
  /** The record that credited it. */
  readonly seq: bigint;
  /** Warnings, such as `dust` or `nonStandard` (vtxo.md §10). */
  readonly flags: readonly string[];
}

/** An entry of the history (mailbox.md §6.2); `heartwood.salvage` takes out what was spent in records that were lost. */
export interface Movement {
  readonly id: string;
  readonly subsystem:
    | { readonly name: "bark.arkoor"; readonly kind: "receive" }
    | { readonly name: "heartwood.salvage"; readonly kind: "withdrawal" };
  readonly status: "successful";
  readonly intendedBalanceSats: bigint;
  readonly effectiveBalanceSats: bigint;
  readonly feeSats: bigint;
  readonly inputVtxos: readonly VtxoId[];
  readonly outputVtxos: readonly VtxoId[];
  readonly receivedOn: readonly { readonly keyIndex: number; readonly amountSats: bigint }[];
  readonly checkpoint: bigint;
  readonly seq: bigint;
  readonly createdAtMs: number;
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
  readonly connection: string;
  readonly balance: Balance;
  readonly vtxos: readonly WalletVtxo[];
  readonly movements: readonly Movement[];
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

export function balanceOf(state: WalletState): Balance {
  const coins = [...state.coins.values()];
  const sumOf = (wanted: WalletVtxo["state"]) => sum(coins.filter((coin) => stateOf(coin) === wanted));
  const unconfirmedSats = sum(
    [...state.quarantine.values()]
      .filter(({ code, id }) => code === "ANCHOR_UNCONFIRMED" && (id === null || !state.coins.has(id)))
      .map((item) => ({ amountSats: item.amountSats ?? 0n })),
  );
  return {
    totalSats: sum(coins),
    spendableSats: sumOf("spendable"),
    awaitingRegistrationSats: sumOf("awaiting-registration"),
    unsureSats: sumOf("unsure"),
    expiredSats: sumOf("expired"),
    unconfirmedSats,
  };
}

/** By expiry, then the largest first (mailbox.md §6.1). */
export function vtxosOf(state: WalletState): WalletVtxo[] {
  return [...state.coins.values()]
    .map((coin) => {
      const { source: _, registered: _registered, isUnsure: _isUnsure, expiryStage = null, ...members } = coin;
      return { ...members, expiryStage, state: stateOf(coin) };
    })
    .sort((a, b) => a.expiryHeight - b.expiryHeight || (a.amountSats < b.amountSats ? 1 : a.amountSats > b.amountSats ? -1 : 0));
}

export function movementsOf(state: WalletState): Movement[] {
  return [...state.movements.values()].map(({ id, amountSats, inputs, outputs, receivedOn, checkpoint, seq, atMs }) => ({
    id,
    subsystem:
      inputs === undefined ? { name: "bark.arkoor", kind: "receive" } : { name: "heartwood.salvage", kind: "withdrawal" },
    status: "successful",
    intendedBalanceSats: amountSats,
    effectiveBalanceSats: amountSats,
    feeSats: 0n,
    inputVtxos: inputs ?? [],
    outputVtxos: outputs,
    receivedOn,
    checkpoint,
    seq,
    createdAtMs: atMs,
  }));
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
    connection: state.instances.get(CONNECTION)?.state ?? "Stopped",
    balance: balanceOf(state),
    vtxos: vtxosOf(state),
    movements: movementsOf(state),
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
function stateOf({ registered, isUnsure, expiryStage }: Coin): WalletVtxo["state"] {
  if (isUnsure === true) return "unsure";
  if (expiryStage === "expired") return "expired";
  return registered ? "spendable" : "awaiting-registration";
}

function reconcilingOf(state: WalletState): Reconciling | null {
  if (!isReconciling(state)) return null;
  const { keptSeq, lostTo } = state.contextOf(SALVAGE) as { keptSeq: bigint; lostTo: bigint | null };
  return { keptSeq, lostTo, unsureVtxos: [...state.coins.values()].filter(({ isUnsure }) => isUnsure === true).length };
}

function sum(coins: readonly { readonly amountSats: bigint }[]): bigint {
  return coins.reduce((total, { amountSats }) => total + amountSats, 0n);
}
