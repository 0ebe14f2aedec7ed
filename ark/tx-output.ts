import type { ByteReader } from "./bytes.ts";
import { ByteWriter } from "./bytes.ts";
import { ArkError } from "./errors.ts";

/** An output of a Bitcoin transaction. */
export interface TxOutput {
  /** Any u64; there is no 21-million cap (vtxo.md §1.1). */
  readonly amountSats: bigint;
  readonly script: Uint8Array;
}

/** Longest script of an output inside a VTXO, in bytes (vtxo.md §1.3). */
const MAX_SCRIPT_BYTES = 100;

/**
 * Passes the length of a script inside a VTXO on, in bytes.
 *
 * @throws ArkError `OVERSIZED_SCRIPT`
 */
export function checkScriptLength(length: number | bigint): number {
  if (length > MAX_SCRIPT_BYTES) {
    throw new ArkError("OVERSIZED_SCRIPT", `expected a script of at most ${MAX_SCRIPT_BYTES} bytes, got ${length}`);
  }
  return Number(length);
}

/**
 * Reads an output inside a VTXO: amount ‖ compact size ‖ script (vtxo.md §1.3). Outputs of transactions on chain have
 * no such limit and are read by `transaction.ts`.
 *
 * @throws ArkError `OVERSIZED_SCRIPT`, `NON_MINIMAL_SIZE`, `SHORT_INPUT`
 */
export function decodeTxOutput(reader: ByteReader): TxOutput {
  const amountSats = reader.u64();
  return { amountSats, script: reader.bytes(checkScriptLength(reader.compactSize())) };
}

/** The wire form of an output, with a script of any length; @throws ArkError `OUT_OF_RANGE` */
export function encodeTxOutput(output: TxOutput): Uint8Array {
  return new ByteWriter().u64(output.amountSats).compactSize(output.script.length).bytes(output.script).finish();
}
