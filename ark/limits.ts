import { ArkError } from "./errors.ts";

/** Largest exit delta and HTLC expiry delta, in blocks: four of them fit a u16 (vtxo.md §3.1). */
export const MAX_DELTA = 16_383;

/** Largest expiry height: with four deltas added it is still a block-height lock time (vtxo.md §3.1). */
export const MAX_HEIGHT = 499_934_467;

/**
 * Passes a block height on.
 *
 * @throws ArkError `BAD_HEIGHT`
 */
export function checkHeight(height: number): number {
  if (!(height <= MAX_HEIGHT)) throw new ArkError("BAD_HEIGHT", `expected a height of at most ${MAX_HEIGHT}, got ${height}`);
  return height;
}

/**
 * Passes a number of blocks on.
 *
 * @throws ArkError `BAD_DELTA`
 */
export function checkDelta(delta: number): number {
  if (!(delta <= MAX_DELTA)) throw new ArkError("BAD_DELTA", `expected at most ${MAX_DELTA} blocks, got ${delta}`);
  return delta;
}

/**
 * Passes a byte string of a fixed length on.
 *
 * @throws ArkError `OUT_OF_RANGE`
 */
export function checkLength(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new ArkError("OUT_OF_RANGE", `expected ${length} bytes, got ${bytes.length}`);
  return bytes;
}

/**
 * Reads the count of a list and compares it with its cap before anything is allocated (vtxo.md §1.4).
 *
 * @throws ArkError `OVERSIZED_LIST`, `NON_MINIMAL_SIZE`, `SHORT_INPUT`
 */
export function decodeListLength(reader: { compactSize(): bigint }, cap: number): number {
  return Number(checkListLength(reader.compactSize(), cap));
}

/**
 * Passes the count of a list on.
 *
 * @throws ArkError `OVERSIZED_LIST`
 */
export function checkListLength<Count extends number | bigint>(count: Count, cap: number): Count {
  if (count > cap) throw new ArkError("OVERSIZED_LIST", `expected at most ${cap} elements, got ${count}`);
  return count;
}
