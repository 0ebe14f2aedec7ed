import { sha256 } from "@noble/hashes/sha2.js";

/** Numbers that follow from a seed, so that a run can be repeated. */
export class Dice {
  readonly #seed: string;
  #throws = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A whole number from 0 up to, not including, `limit` (at most 65,536). */
  below(limit: number): number {
    const [high = 0, low = 0] = this.bytes();
    return (high * 256 + low) % limit;
  }

  /** 32 bytes. */
  bytes(): Uint8Array {
    return sha256(new TextEncoder().encode(`${this.#seed}/${this.#throws++}`));
  }
}
