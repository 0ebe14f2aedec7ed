import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/**
 * The id (display order) of a transaction in consensus encoding, with or without witness (BIP-144).
 *
 * Computed here and not with the protocol's codec, so that what a source returns is tested before
 * anything else looks at it. Answers `undefined` for bytes that are not exactly one transaction.
 */
export function transactionIdOf(bytes: Uint8Array): string | undefined {
  const cursor = new Cursor(bytes);
  cursor.skip(4);
  const hasWitness = bytes[4] === 0 && bytes[5] === 1;
  if (hasWitness) cursor.skip(2);
  const bodyStart = cursor.at;
  const inputs = cursor.list(() => {
    cursor.skip(36);
    cursor.skip(cursor.size());
    cursor.skip(4);
  });
  cursor.list(() => {
    cursor.skip(8);
    cursor.skip(cursor.size());
  });
  const bodyEnd = cursor.at;
  if (hasWitness) for (let i = 0; i < inputs && cursor.valid; i++) cursor.list(() => cursor.skip(cursor.size()));
  cursor.skip(4);
  if (!cursor.valid || cursor.at !== bytes.length || inputs === 0) return undefined;

  const hash = sha256
    .create()
    .update(bytes.subarray(0, 4))
    .update(bytes.subarray(bodyStart, bodyEnd))
    .update(bytes.subarray(-4))
    .digest();
  return bytesToHex(sha256(hash).reverse());
}

/** Walks over bytes; past the end it becomes invalid and stays where it is, so that no list loops on. */
class Cursor {
  at = 0;
  valid = true;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(length: number): void {
    if (length > this.#view.byteLength - this.at) this.valid = false;
    else this.at += length;
  }

  /** A compact size; a value that fits no transaction is invalid. */
  size(): number {
    const start = this.at;
    this.skip(1);
    if (!this.valid) return 0;
    const first = this.#view.getUint8(start);
    if (first < 0xfd) return first;
    const width = first === 0xfd ? 2 : first === 0xfe ? 4 : 8;
    this.skip(width);
    if (!this.valid) return 0;
    if (width === 2) return this.#view.getUint16(start + 1, true);
    if (width === 4) return this.#view.getUint32(start + 1, true);
    this.valid = false;
    return 0;
  }

  list(element: () => void): number {
    const count = this.size();
    for (let i = 0; i < count && this.valid; i++) element();
    return count;
  }
}
