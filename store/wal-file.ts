import type { Buffer } from "node:buffer";
import { crc32c, unmasked } from "./crc32c.ts";

const BLOCK_BYTES = 32 * 1024;
/** Masked CRC-32C, length, type. */
const HEADER_BYTES = 7;
/** The CRC is of the type and what follows. */
const TYPE_AT = 6;

/** Whether a file of a LevelDB database is a write-ahead log. */
export function isWal(name: string): boolean {
  return /^\d+\.log$/.test(name);
}

/**
 * A write-ahead log of which only whole pieces are left: from the first one in a block of 32 KiB that is not what its CRC
 * says, the block is zero, which LevelDB passes over.
 *
 * LevelDB looks at these CRCs when it opens a database, but not when it rebuilds one: then an assertion ends the process
 * at a batch with a number that cannot be.
 */
export function wholeWal(content: Buffer): Uint8Array {
  const whole = Uint8Array.from(content);
  for (let from = 0; from < content.length; from += BLOCK_BYTES) {
    const block = content.subarray(from, from + BLOCK_BYTES);
    whole.fill(0, from + wholeBytes(block), from + block.length);
  }
  return whole;
}

/** Where the last whole piece before a damaged one ends. */
function wholeBytes(block: Buffer): number {
  let at = 0;
  while (at + HEADER_BYTES <= block.length) {
    const end = at + HEADER_BYTES + block.readUInt16LE(at + 4);
    if (end > block.length || unmasked(block.readUInt32LE(at)) !== crc32c(block.subarray(at + TYPE_AT, end))) break;
    at = end;
  }
  return at;
}
