import type { BackEnd } from "./back-end.ts";
import { sameBytes } from "./bytes.ts";
import { type ChainPosition, positionAfter } from "./chain-reader.ts";
import type { LogHead, Snapshot } from "./event-log.ts";
import { decodeSnapshot } from "./snapshot.ts";

/** A snapshot that was found to be of a record of this log. */
export interface FittingSnapshot extends Snapshot {
  /** That record, as what the next one must continue. */
  readonly position: ChainPosition;
}

/**
 * The snapshots that fit a log, the newest first. One that is damaged, of another log or of a record that the log does
 * not have is left out.
 *
 * @throws StoreError a code of damage of the log
 */
export async function* fittingSnapshots(
  backEnd: Pick<BackEnd, "frames" | "listSnapshots" | "getSnapshot">,
  { logId, seq: last }: Pick<LogHead, "logId" | "seq">,
): AsyncGenerator<FittingSnapshot, void, undefined> {
  for (const seq of newestFirst(await backEnd.listSnapshots())) {
    const bytes = seq < 1n || seq > last ? undefined : await backEnd.getSnapshot(seq);
    const found = bytes === undefined ? undefined : decodeSnapshot(bytes);
    if (found === undefined || found.logId !== logId || found.seq !== seq) continue;
    const position = await positionAt(backEnd, seq);
    if (position !== undefined && sameBytes(found.chain, position.chain)) yield { seq, parts: found.parts, position };
  }
}

/**
 * The position that a record's frame names; undefined if there is none.
 *
 * @throws StoreError `STORE_BAD_FRAME`, `STORE_BAD_RECORD`
 */
export async function positionAt(backEnd: Pick<BackEnd, "frames">, seq: bigint): Promise<ChainPosition | undefined> {
  for await (const [raw] of backEnd.frames(seq, seq)) {
    if (raw?.seq === seq) return positionAfter(raw);
  }
  return undefined;
}

export function newestFirst(numbers: readonly bigint[]): bigint[] {
  return [...numbers].sort((a, b) => (a > b ? -1 : Number(a < b)));
}
