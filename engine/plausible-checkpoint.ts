const TIME_SHIFT = 20n;
const LARGEST = 2n ** 63n - 1n;
const DAY_MS = 86_400_000n;

/**
 * Whether a checkpoint may become the wallet's position: a signed 63-bit value whose time part is at most a day ahead
 * of the later of the local clock and the position itself (mailbox.md §3.3, W-11). A leap beyond would make the
 * wallet deaf on a lying server's word.
 */
export function isPlausible(checkpoint: bigint, nowMs: number, position: bigint): boolean {
  if (checkpoint > LARGEST) return false;
  const now = Number.isFinite(nowMs) ? BigInt(Math.trunc(nowMs)) : 0n;
  const reached = position >> TIME_SHIFT;
  return checkpoint >> TIME_SHIFT <= (now > reached ? now : reached) + DAY_MS;
}

/** When the server took a message in, in milliseconds since the Unix epoch (mailbox.md §3.3). */
export function checkpointTimeMs(checkpoint: bigint): number {
  return Number(checkpoint >> TIME_SHIFT);
}
