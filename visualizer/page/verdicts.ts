import type { Progress } from "../feed.ts";
import type { RecordRow } from "../feed-record.ts";

/** Whether a verdict is known by now that was not when these were loaded. */
export function isOutdated(rows: readonly RecordRow[], { verified }: Progress): boolean {
  return rows.some(({ seq, verdict }) => verdict === "pending" && BigInt(seq) <= BigInt(verified));
}
