const SEQ_BYTES = 8;
const FIRST_CAPACITY = 64;

/**
 * Record numbers by keys of one length, at about 60 bytes an entry with keys of 32: for what a wallet has to remember
 * of everything that ever arrived. Entries stay in the order in which they came and are never removed.
 */
export class SeqIndex {
  readonly #keyBytes: number;
  /** Keys one behind the other, in order of arrival. */
  #keys: Uint8Array;
  #seqs: BigUint64Array;
  /** Open addressing: 0 where nothing is, else the entry's number plus 1. Twice as many places as entries. */
  #slots: Uint32Array;
  #size = 0;

  /** @param keyBytes length of every key, at least 8; keys are taken to be hashes */
  constructor(keyBytes: number, capacity = 0) {
    this.#keyBytes = keyBytes;
    this.#keys = new Uint8Array(capacity * keyBytes);
    this.#seqs = new BigUint64Array(capacity);
    this.#slots = new Uint32Array(slotsFor(capacity));
  }

  get size(): number {
    return this.#size;
  }

  /** The number last kept under a key. */
  get(key: Uint8Array): bigint | undefined {
    const entry = this.#slots[this.#slotOf(key)] ?? 0;
    return entry === 0 ? undefined : this.#seqs[entry - 1];
  }

  set(key: Uint8Array, seq: bigint): void {
    if (key.length !== this.#keyBytes) throw new Error(`expected a key of ${this.#keyBytes} bytes, got ${key.length}`);
    if (this.#size === this.#seqs.length) this.#grow(Math.max(FIRST_CAPACITY, this.#size * 2));
    const slot = this.#slotOf(key);
    const entry = this.#slots[slot] ?? 0;
    if (entry !== 0) {
      this.#seqs[entry - 1] = seq;
      return;
    }
    this.#keys.set(key, this.#size * this.#keyBytes);
    this.#seqs[this.#size] = seq;
    this.#slots[slot] = ++this.#size;
  }

  clone(): SeqIndex {
    const copy = new SeqIndex(this.#keyBytes);
    copy.#keys = this.#keys.slice();
    copy.#seqs = this.#seqs.slice();
    copy.#slots = this.#slots.slice();
    copy.#size = this.#size;
    return copy;
  }

  /** Entries in order: the key, then the number as u64, big-endian. */
  encode(): Uint8Array {
    const width = this.#keyBytes + SEQ_BYTES;
    const bytes = new Uint8Array(this.#size * width);
    const view = new DataView(bytes.buffer);
    for (let entry = 0; entry < this.#size; entry++) {
      bytes.set(this.#keyAt(entry), entry * width);
      view.setBigUint64(entry * width + this.#keyBytes, this.#seqs[entry] ?? 0n);
    }
    return bytes;
  }

  /** What {@link encode} wrote; undefined for other bytes. */
  static decode(keyBytes: number, bytes: Uint8Array): SeqIndex | undefined {
    const width = keyBytes + SEQ_BYTES;
    if (bytes.length % width !== 0) return undefined;
    const size = bytes.length / width;
    const index = new SeqIndex(keyBytes, Math.max(FIRST_CAPACITY, size));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += width) {
      index.set(bytes.subarray(at, at + keyBytes), view.getBigUint64(at + keyBytes));
    }
    return index.size === size ? index : undefined;
  }

  #grow(capacity: number): void {
    const [keys, seqs] = [this.#keys, this.#seqs];
    this.#keys = new Uint8Array(capacity * this.#keyBytes);
    this.#keys.set(keys);
    this.#seqs = new BigUint64Array(capacity);
    this.#seqs.set(seqs);
    this.#slots = new Uint32Array(slotsFor(capacity));
    for (let entry = 0; entry < this.#size; entry++) this.#slots[this.#slotOf(this.#keyAt(entry))] = entry + 1;
  }

  #keyAt(entry: number): Uint8Array {
    return this.#keys.subarray(entry * this.#keyBytes, (entry + 1) * this.#keyBytes);
  }

  /** Where a key is, or the free place where it goes. */
  #slotOf(key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = scatter(key) & mask;
    for (;;) {
      const entry = this.#slots[slot] ?? 0;
      if (entry === 0 || this.#holds(entry - 1, key)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #holds(entry: number, key: Uint8Array): boolean {
    const start = entry * this.#keyBytes;
    for (let i = 0; i < this.#keyBytes; i++) if (this.#keys[start + i] !== key[i]) return false;
    return true;
  }
}

/** Drawn for each process: whoever makes keys cannot aim them at one place. Nothing that is kept depends on it. */
const [FIRST = 1, SECOND = 1] = crypto.getRandomValues(new Uint32Array(2)).map((word) => word | 1);

function scatter(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const mixed = Math.imul(view.getUint32(0), FIRST) ^ Math.imul(view.getUint32(4), SECOND);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function slotsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, capacity) * 2));
}
