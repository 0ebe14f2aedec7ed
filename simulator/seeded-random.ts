import { concatBytes } from "../ark/bytes.ts";
import { isValidSecretKey, sha256 } from "../ark/crypto.ts";

const encoder = new TextEncoder();

/**
 * A reproducible byte stream: SHA-256 of a 32-byte key and a counter.
 *
 * It stands in for every random number of the simulator, MuSig2 nonces included, so that a seed and the same calls in
 * the same order give the same bytes. For keys of simulated coins only.
 */
export class SeededRandom {
  readonly #key: Uint8Array;
  #counter = 0n;

  constructor(seed: string | Uint8Array) {
    this.#key = sha256(encoder.encode("heartwood/simulator"), typeof seed === "string" ? encoder.encode(seed) : seed);
  }

  /** A stream of its own that depends on this seed and the label, not on what was drawn before. */
  fork(label: string): SeededRandom {
    return new SeededRandom(sha256(this.#key, encoder.encode(label)));
  }

  /** The next `length` bytes. */
  bytes(length: number): Uint8Array {
    const blocks: Uint8Array[] = [];
    for (let filled = 0; filled < length; filled += 32) {
      const counter = new Uint8Array(8);
      new DataView(counter.buffer).setBigUint64(0, this.#counter++);
      blocks.push(sha256(this.#key, counter));
    }
    return concatBytes(...blocks).slice(0, length);
  }

  /** A secret key of the curve (32 bytes). */
  secretKey(): Uint8Array {
    for (;;) {
      const candidate = this.bytes(32);
      if (isValidSecretKey(candidate)) return candidate;
    }
  }
}
