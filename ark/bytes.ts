import { ArkError } from "./errors.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Joins byte strings into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Whether two byte strings are the same. Not in constant time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Byte-wise order, a shorter prefix first: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * Reads little-endian protocol values front to back (vtxo.md §1).
 *
 * Every byte string it returns is a copy, so that views of a transport's shared buffer never leak in.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** @throws ArkError `SHORT_INPUT` */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return Uint8Array.from(this.#bytes.subarray(at, at + length));
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  /**
   * A compact size (vtxo.md §1.2).
   *
   * @throws ArkError `NON_MINIMAL_SIZE`, `SHORT_INPUT`
   */
  compactSize(): bigint {
    const first = this.u8();
    if (first < 0xfd) return BigInt(first);
    if (first === 0xfd) return minimal(BigInt(this.u16()), 0xfdn);
    if (first === 0xfe) return minimal(BigInt(this.u32()), 0x1_0000n);
    return minimal(this.u64(), 0x1_0000_0000n);
  }

  /**
   * Refuses left-over bytes (vtxo.md §1.5).
   *
   * @throws ArkError `TRAILING_BYTES`
   */
  end(): void {
    if (this.remaining > 0) throw new ArkError("TRAILING_BYTES", `expected the end of input, got ${this.remaining} more bytes`);
  }

  #take(length: number): number {
    const at = this.#offset;
    if (length > this.remaining) {
      throw new ArkError("SHORT_INPUT", `expected ${length} bytes at offset ${at}, got ${this.remaining}`);
    }
    this.#offset = at + length;
    return at;
  }
}

function minimal(value: bigint, least: bigint): bigint {
  if (value < least) throw new ArkError("NON_MINIMAL_SIZE", `expected at least ${least} in this form, got ${value}`);
  return value;
}

/** Builds little-endian protocol values; the counterpart of {@link ByteReader}. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  bytes(bytes: Uint8Array): this {
    this.#parts.push(Uint8Array.from(bytes));
    return this;
  }

  u8(value: number): this {
    return this.#number(1, value, (view) => view.setUint8(0, value));
  }

  u16(value: number): this {
    return this.#number(2, value, (view) => view.setUint16(0, value, true));
  }

  u32(value: number): this {
    return this.#number(4, value, (view) => view.setUint32(0, value, true));
  }

  /** @throws ArkError `OUT_OF_RANGE` outside 0 … 2^64 − 1 */
  u64(value: bigint): this {
    if (value < 0n || value > U64_MAX) throw new ArkError("OUT_OF_RANGE", `expected 0 … 2^64 − 1, got ${value}`);
    return this.#part(8, (view) => view.setBigUint64(0, value, true));
  }

  i64(value: bigint): this {
    if (BigInt.asIntN(64, value) !== value) throw new ArkError("OUT_OF_RANGE", `expected a signed 64-bit value, got ${value}`);
    return this.#part(8, (view) => view.setBigInt64(0, value, true));
  }

  compactSize(value: number): this {
    if (value < 0xfd) return this.u8(value);
    if (value <= 0xffff) return this.u8(0xfd).u16(value);
    if (value <= 0xffff_ffff) return this.u8(0xfe).u32(value);
    return this.u8(0xff).u64(BigInt(value));
  }

  finish(): Uint8Array {
    return concatBytes(...this.#parts);
  }

  #number(size: number, value: number, set: (view: DataView) => void): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
      throw new ArkError("OUT_OF_RANGE", `expected an unsigned ${8 * size}-bit integer, got ${value}`);
    }
    return this.#part(size, set);
  }

  #part(size: number, set: (view: DataView) => void): this {
    const part = new Uint8Array(size);
    set(new DataView(part.buffer));
    this.#parts.push(part);
    return this;
  }
}
