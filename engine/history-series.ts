import type { HistoryIndex } from "./history-index.ts";
import type { HistoryMark } from "./history-marks.ts";

/** The state after the last record of a bucket of records. */
export interface HistoryPoint {
  readonly seq: bigint;
  readonly atMs: number;
  readonly checkpoint: bigint;
  readonly totalSats: bigint;
  readonly spendableSats: bigint;
  /** How many records of the bucket have the mark. */
  readonly marks: { readonly [Mark in HistoryMark]?: number };
}

/** Points from one record to another, each for about as many records. */
export function seriesOf(index: HistoryIndex, from: number, to: number, points: number): HistoryPoint[] {
  const count = Math.max(1, Math.min(points, to - from + 1));
  const found: HistoryPoint[] = [];
  let next = from;
  for (let point = 1; point <= count; point++) {
    const last = from + Math.floor(((to - from + 1) * point) / count) - 1;
    const marks = index.marksBetween(next, last);
    next = last + 1;
    const { totalSats, spendableSats } = index.numbers.balanceAt(last);
    found.push({
      seq: BigInt(last),
      atMs: index.atMsOf(last),
      checkpoint: index.numbers.checkpointAt(last),
      totalSats,
      spendableSats,
      marks,
    });
  }
  return found;
}
