/** Hex digits of a digest in a message's name: 16 bytes, so that no two messages can be made to share one. */
const DIGEST_DIGITS = 32;

/** Name of a message's instance: `message/<checkpoint>/<digest16>`, with the first 16 bytes of the digest. */
export function messageInstance(checkpoint: bigint, digest: string): string {
  return `message/${checkpoint}/${digest.slice(0, DIGEST_DIGITS)}`;
}

/** Whether a message in that state waits for an answer. */
export function isUndecided(state: string): boolean {
  return state === "Vetting" || state === "Halted";
}
