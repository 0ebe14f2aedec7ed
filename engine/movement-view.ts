import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Plain } from "../machines/canonical.ts";
import { originOf } from "../machines/package.ts";
import type { RecordedAction, RecordedMovement, RecordedReceive } from "./recorded-movement.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * An entry of the history (mailbox.md §6.2, lightning.md §11). `heartwood.import` is what the owner brought,
 * `heartwood.restore` what the backup of the seed named; `heartwood.salvage` takes out what the server does not call
 * unspent where the log cannot say it for sure: after records were lost, or where it did not know an input.
 */
export interface Movement {
  readonly id: string;
  readonly subsystem: {
    readonly name:
      | "bark.arkoor"
      | "bark.lightning_send"
      | "bark.lightning_receive"
      | `heartwood.${"exit" | "import" | "restore" | "salvage"}`;
    readonly kind: "send" | "receive" | "withdrawal";
  };
  readonly status: "pending" | "successful" | "failed" | "canceled";
  /** What was to come or go, and what did: negative for what goes. */
  readonly intendedBalanceSats: bigint;
  readonly effectiveBalanceSats: bigint;
  readonly feeSats: bigint;
  readonly inputVtxos: readonly VtxoId[];
  readonly outputVtxos: readonly VtxoId[];
  /** VTXOs that only an exit brings back. */
  readonly exitedVtxos: readonly VtxoId[];
  /** Addresses or invoices that were paid. */
  readonly sentTo: readonly { readonly destination: string; readonly amountSats: bigint }[];
  /** Own keys, or own invoices, on which it came; `Wallet.addressAt` tells the address of a key. */
  readonly receivedOn: readonly ReceivedOn[];
  /** Such as `payment_hash` and `payment_preimage`. */
  readonly metadata: { readonly [name: string]: Plain };
  readonly checkpoint: bigint;
  /** The record that made it. */
  readonly seq: bigint;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

type ReceivedOn =
  | { readonly keyIndex: number; readonly destination: null; readonly amountSats: bigint }
  | { readonly keyIndex: null; readonly destination: string; readonly amountSats: bigint };

const SUBSYSTEMS = { mailbox: "bark.arkoor", import: "heartwood.import", restore: "heartwood.restore" } as const;

/** The history, the oldest first. */
export function movementsOf(state: Readonly<WalletState>): Movement[] {
  return [...state.movements.values()].map(toMovement);
}

/** One entry. */
export function toMovement(row: RecordedMovement): Movement {
  return "subsystem" in row ? ofAction(row) : ofPackage(row);
}

function ofPackage({ id, amountSats, inputs, outputs, receivedOn, checkpoint, seq, atMs }: RecordedReceive): Movement {
  return {
    id,
    subsystem:
      outputs.length > 0
        ? { name: SUBSYSTEMS[originOf(id)], kind: "receive" }
        : { name: "heartwood.salvage", kind: "withdrawal" },
    status: "successful",
    intendedBalanceSats: amountSats,
    effectiveBalanceSats: amountSats,
    feeSats: 0n,
    inputVtxos: inputs ?? [],
    outputVtxos: outputs,
    exitedVtxos: [],
    sentTo: [],
    receivedOn: receivedOn.map((place) => ({ keyIndex: place.keyIndex, destination: null, amountSats: place.amountSats })),
    metadata: {},
    checkpoint,
    seq,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  };
}

function ofAction(row: RecordedAction): Movement {
  const { id, status, inputs, outputs, exited, sentTo, metadata, checkpoint, seq, atMs, updatedAtMs } = row;
  return {
    id,
    subsystem: { name: row.subsystem, kind: row.kind },
    status,
    intendedBalanceSats: row.intendedSats,
    effectiveBalanceSats: row.effectiveSats,
    feeSats: row.feeSats,
    inputVtxos: inputs,
    outputVtxos: outputs,
    exitedVtxos: exited,
    sentTo,
    receivedOn: row.receivedOn.map((place) => ({ ...place, keyIndex: null })),
    metadata,
    checkpoint,
    seq,
    createdAtMs: atMs,
    updatedAtMs,
  };
}
