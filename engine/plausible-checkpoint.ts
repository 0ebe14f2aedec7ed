const TIME_SHIFT = 20n;
const LARGEST = 2n ** 63n - 1n;
const DAY_MS = 86_400_000n;

/**
 * Whether a checkpoint may become the wallet's position: a signed 63-bit value whose time part is at most a day ahead
 * of now (mailbox.md §3.3, W-11). A leap beyond would make the wallet deaf on a lying server's word. A clock that is far behind
 * costs no payment, since messages are consumed all the same and read again until it is right.
 */
export function isPlausible(checkpoint: bigint, nowMs: number): boolean {
  if (checkpoint > LARGEST) return false;
  const now = Number.isFinite(nowMs) ? BigInt(Math.trunc(nowMs)) : 0n;
  return checkpoint >> TIME_SHIFT <= now + DAY_MS;
}

/** When the server took a message in, in milliseconds since the Unix epoch (mailbox.md §3.3). */
export function checkpointTimeMs(checkpoint: bigint): number {
  return Number(checkpoint >> TIME_SHIFT);
}
