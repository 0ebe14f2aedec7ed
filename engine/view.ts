import type { VtxoId } from "../ark/vtxo-id.ts";
import { CONNECTION, type Counters, MAILBOX, WALLET, type WalletState } from "./wallet-state.ts";

/** The wallet's money, in sats. */
export interface Balance {
  /** Σ of all movements, and Σ of all VTXOs that are the wallet's. */
  readonly totalSats: bigint;
  /** Registered with the server: can be paid with. */
  readonly spendableSats: bigint;
  /** Credited, but the server does not have its signatures yet (mailbox.md W-14). */
  readonly awaitingRegistrationSats: bigint;
  /** Not in the total: held because its anchor transaction is not in a block yet. */
  readonly unconfirmedSats: bigint;
}

/** A VTXO of the wallet. */
export interface WalletVtxo {
  readonly id: VtxoId;
  readonly amountSats: bigint;
  readonly state: "spendable" | "awaiting-registration";
  readonly expiryHeight: number;
  readonly exitDepth: number;
  readonly keyIndex: number;
  readonly checkpoint: bigint;
  /** The record that credited it. */
  readonly seq: bigint;
  /** Warnings, such as `dust` or `nonStandard` (vtxo.md §10). */
  readonly flags: readonly string[];
}

/** An entry of the history (mailbox.md §6.2). */
export interface Movement {
  readonly id: string;
  readonly subsystem: { readonly name: "bark.arkoor"; readonly kind: "receive" };
  readonly status: "successful";
  readonly intendedBalanceSats: bigint;
  readonly effectiveBalanceSats: bigint;
  readonly feeSats: bigint;
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
  readonly connection: string;
  readonly balance: Balance;
  readonly vtxos: readonly WalletVtxo[];
  readonly movements: readonly Movement[];
  readonly quarantine: readonly QuarantinedVtxo[];
  readonly counters: Readonly<Counters>;
  /** Commands without a result. */
  readonly openCommands: number;
  readonly nextKeyIndex: number;
  readonly records: bigint;
  readonly epoch: bigint;
}

export function balanceOf(state: WalletState): Balance {
  const coins = [...state.coins.values()];
  const spendableSats = sum(coins.filter(({ registered }) => registered));
  const totalSats = sum(coins);
  const unconfirmedSats = sum(
    [...state.quarantine.values()]
      .filter(({ code, id }) => code === "ANCHOR_UNCONFIRMED" && (id === null || !state.coins.has(id)))
      .map((item) => ({ amountSats: item.amountSats ?? 0n })),
  );
  return { totalSats, spendableSats, awaitingRegistrationSats: totalSats - spendableSats, unconfirmedSats };
}

/** By expiry, then the largest first (mailbox.md §6.1). */
export function vtxosOf(state: WalletState): WalletVtxo[] {
  return [...state.coins.values()]
    .map(({ source: _, registered, ...coin }) => ({
      ...coin,
      state: registered ? ("spendable" as const) : ("awaiting-registration" as const),
    }))
    .sort((a, b) => a.expiryHeight - b.expiryHeight || (a.amountSats < b.amountSats ? 1 : a.amountSats > b.amountSats ? -1 : 0));
}

export function movementsOf(state: WalletState): Movement[] {
  return [...state.movements.values()].map(({ id, amountSats, outputs, receivedOn, checkpoint, seq, atMs }) => ({
    id,
    subsystem: { name: "bark.arkoor", kind: "receive" },
    status: "successful",
    intendedBalanceSats: amountSats,
    effectiveBalanceSats: amountSats,
    feeSats: 0n,
    outputVtxos: outputs,
    receivedOn,
    checkpoint,
    seq,
    createdAtMs: atMs,
  }));
}

export function quarantineOf(state: WalletState): QuarantinedVtxo[] {
  return [...state.quarantine.values()].map(({ source: _, ...item }) => item);
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
    connection: state.instances.get(CONNECTION)?.state ?? "Stopped",
    balance: balanceOf(state),
    vtxos: vtxosOf(state),
    movements: movementsOf(state),
    quarantine: quarantineOf(state),
    counters: { ...state.counters },
    openCommands: state.outbox.size,
    nextKeyIndex: state.nextKeyIndex,
    records: state.seq,
    epoch: (wallet.epoch ?? 0n) as bigint,
  };
}

function sum(coins: readonly { readonly amountSats: bigint }[]): bigint {
  return coins.reduce((total, { amountSats }) => total + amountSats, 0n);
}
