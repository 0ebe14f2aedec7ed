import type { Transition } from "./transition.ts";

/** What is remarkable about a record. */
export const HISTORY_MARKS = ["halt", "error", "redelivery", "restart", "quarantined", "received", "paid", "finished"] as const;

/** See {@link HISTORY_MARKS}. */
export type HistoryMark = (typeof HISTORY_MARKS)[number];

/** What a record did to the wallet, beside what stands in it. */
export interface Consequence {
  /** How much more or less the wallet has, in sats. */
  readonly earnedSats: number;
  /** Whether the instance takes no more events. */
  readonly isFinished: boolean;
}

/** The marks of a record. */
export function marksOf({ event }: Transition, { earnedSats, isFinished }: Consequence): HistoryMark[] {
  const marks: HistoryMark[] = [];
  if (event.type === "package.undecided" || event.type === "package.poisoned") marks.push("halt");
  if (event.type.endsWith(".failed") || event.type.endsWith(".refused")) marks.push("error");
  if (event.type === "message.redelivered") marks.push("redelivery");
  if (event.type === "wallet.opened") marks.push("restart");
  if (event.type === "item.held") marks.push("quarantined");
  if (earnedSats > 0) marks.push("received");
  if (earnedSats < 0) marks.push("paid");
  if (isFinished) marks.push("finished");
  return marks;
}

/** Marks as bits, for an index. */
export function encodeMarks(marks: readonly HistoryMark[]): number {
  return marks.reduce((bits, mark) => bits | (1 << HISTORY_MARKS.indexOf(mark)), 0);
}

/** What {@link encodeMarks} made. */
export function decodeMarks(bits: number): HistoryMark[] {
  return HISTORY_MARKS.filter((_, index) => (bits & (1 << index)) !== 0);
}

/** How many records have each mark, of bits that {@link encodeMarks} made. */
export function countMarks(bits: Iterable<number>): { [Mark in HistoryMark]?: number } {
  const counts = HISTORY_MARKS.map(() => 0);
  for (let rest of bits) for (let at = 0; rest !== 0; at++, rest >>>= 1) counts[at] = (counts[at] ?? 0) + (rest & 1);
  return Object.fromEntries(HISTORY_MARKS.map((mark, at) => [mark, counts[at] ?? 0] as const).filter(([, count]) => count > 0));
}
