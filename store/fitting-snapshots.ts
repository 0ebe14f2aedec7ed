import type { BackEnd } from "./back-end.ts";
import { sameBytes } from "./bytes.ts";
import { type ChainPosition, positionAfter } from "./chain-reader.ts";
import type { LogHead, Snapshot } from "./event-log.ts";
import { decodeSnapshot, type SnapshotBinding } from "./snapshot.ts";

/**
 * The snapshots that fit a log, the newest first. One that is damaged, of another log or of a record that the log does
 * not have is left out.
 *
 * @throws StoreError a code of damage of the log
 */
export async function* fittingSnapshots(
  backEnd: Pick<BackEnd, "frames" | "listSnapshots" | "getSnapshot">,
  head: LogHead,
): AsyncGenerator<Snapshot, void, undefined> {
  for (const seq of newestFirst(await backEnd.listSnapshots())) {
    const bytes = seq > head.seq ? undefined : await backEnd.getSnapshot(seq);
    const found = bytes === undefined ? undefined : decodeSnapshot(bytes);
    if (found?.seq !== seq) continue;
    if ((await boundPosition(backEnd, found, head)) !== undefined) yield { seq, parts: found.parts };
  }
}

/**
 * The record of a snapshot, as what the next one must continue; undefined if it is of another log, or of a record that
 * the log does not have.
 *
 * @throws StoreError a code of damage of the log
 */
export async function boundPosition(
  backEnd: Pick<BackEnd, "frames">,
  { logId, seq, chain }: SnapshotBinding,
  head: LogHead,
): Promise<ChainPosition | undefined> {
  if (logId !== head.logId || seq < 1n || seq > head.seq) return undefined;
  const position = await positionAt(backEnd, seq);
  return position !== undefined && sameBytes(chain, position.chain) ? position : undefined;
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
