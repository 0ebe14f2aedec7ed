/** Remembers the most recently used results of a pure computation, never more than `capacity` of them. */
export class BoundedCache<Value extends object | boolean> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The remembered value of `key`, or the one `compute` returns. Nothing is kept when `compute` throws. */
  get(key: string, compute: () => Value): Value {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      // A Map iterates in insertion order: moving the entry to the end makes the first one the least recently used.
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const value = compute();
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return value;
  }
}

/** A compact cache key for bytes: one character a byte. Join parts of fixed length only. */
export function cacheKey(...parts: readonly Uint8Array[]): string {
  let key = "";
  for (const part of parts) for (const byte of part) key += String.fromCharCode(byte);
  return key;
}
