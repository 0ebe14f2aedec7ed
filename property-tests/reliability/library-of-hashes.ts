// The library of hashes as the lanes have it: SHA-256 of this machine's OpenSSL, which takes a fraction of the time.
// library-loader.ts puts this in the library's place.
import { hash } from "node:crypto";
import { sha256 as real } from "@noble/hashes/sha2.js";

export * from "@noble/hashes/sha2.js";

/** As the library's own; what it makes step by step is the library's still. */
export const sha256: typeof real = Object.assign(digestOf, real);

function digestOf(message: Uint8Array): Uint8Array<ArrayBuffer> {
  // Text of a character a byte is the fastest form in which it comes.
  const text = hash("sha256", message, "binary");
  const digest = new Uint8Array(text.length);
  for (let i = 0; i < digest.length; i++) digest[i] = text.charCodeAt(i);
  return digest;
}
