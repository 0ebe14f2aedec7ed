import type { Outpoint } from "./outpoint.ts";
import type { Transaction } from "./transaction.ts";
import type { TxOutput } from "./tx-output.ts";

/** Pay-to-anchor: anybody may spend it to raise the fee (vtxo.md §6.2). */
const FEE_ANCHOR_SCRIPT = Uint8Array.of(0x51, 0x02, 0x4e, 0x73);

/** What differs between the transactions of this protocol besides input and outputs. */
export interface VirtualTransactionOptions {
  /** Amount of the fee anchor, 0 unless given. */
  readonly feeSats?: bigint;
  /** Empty unless given. */
  readonly witness?: readonly Uint8Array[];
}

/**
 * A transaction that is signed, kept and only broadcast for a unilateral exit: version 3, one input of sequence 0,
 * the fee anchor behind the outputs (vtxo.md §6.2, arkoor.md §4).
 */
export function virtualTransaction(
  spends: Outpoint,
  outputs: readonly TxOutput[],
  options: VirtualTransactionOptions = {},
): Transaction {
  const { feeSats = 0n, witness = [] } = options;
  return {
    version: 3,
    inputs: [{ outpoint: spends, script: new Uint8Array(0), sequence: 0, witness }],
    outputs: [...outputs, { amountSats: feeSats, script: FEE_ANCHOR_SCRIPT }],
    lockTime: 0,
  };
}
