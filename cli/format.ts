/** `12345678n` as `12,345,678 sat`. */
export function formatSats(amountSats: bigint): string {
  return `${formatCount(amountSats)} sat`;
}

/** An amount with its sign, zero without. */
export function formatChange(amountSats: bigint): string {
  return amountSats > 0n ? `+${formatSats(amountSats)}` : formatSats(amountSats);
}

/** A whole number with its digits in groups of three. */
export function formatCount(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 VTXO`, `2 VTXOs`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** A time as `2026-01-31 23:59:58Z`; anything that is no time as it is. */
export function formatTime(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime())
    ? String(atMs)
    : date
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z");
}

/** A length of time as `59 s` or `1 min 5 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return seconds < 60 ? `${seconds} s` : `${formatCount(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** An id of hex digits cut in its middle, its output index kept: `20591032…e67fe130:0`. */
export function shortenId(id: string): string {
  return id.replace(/^([0-9a-f]{8})[0-9a-f]{16,}([0-9a-f]{8})(?=:|$)/, "$1…$2");
}
