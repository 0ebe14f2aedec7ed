/** Hex digits of a digest in a message's name: 8 bytes. */
const DIGEST_DIGITS = 16;

/** Name of a message's instance: `message/<checkpoint>/<digest8>`, with the first 8 bytes of the digest. */
export function messageInstance(checkpoint: bigint, digest: string): string {
  return `message/${checkpoint}/${digest.slice(0, DIGEST_DIGITS)}`;
}
