// The library of curves as the lanes have it. A model signs again and again, and nobody whom its wallet talks to looks at
// what it signs: there, signatures may be made up. library-loader.ts puts this in the library's place.
import { schnorr as real } from "@noble/secp256k1";

export * from "@noble/secp256k1";

let isMadeUp = false;

/** From now on this process signs with bytes that are no signature. What it verifies stays verified. */
export function makeUpSignatures(): void {
  isMadeUp = true;
}

/** As the library's own, but for what {@link makeUpSignatures} says. */
export const schnorr: typeof real = {
  ...real,
  sign: (...request) => (isMadeUp ? new Uint8Array(64) : real.sign(...request)),
};
