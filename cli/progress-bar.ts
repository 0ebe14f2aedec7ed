import { formatCount } from "./format.ts";

const WIDTH = 24;

/** What a bar counts. */
export type BarUnit = "records" | "bytes" | "VTXOs";

/** A bar with its share and counts: `██████░░░░  25 %, 5,000 of 20,000 records`. */
export function formatBar(done: bigint, total: bigint, unit: BarUnit = "records", width = WIDTH): string {
  const share = total <= 0n ? 1 : Math.min(1, Number(done) / Number(total));
  const filled = Math.round(share * width);
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)} ${percent} %, ${formatCount(done)} of ${formatCount(total)} ${unit}`;
}
