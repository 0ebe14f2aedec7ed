import type { BackEnd } from "./back-end.ts";
import { fromHex, sameBytes } from "./bytes.ts";
import { type ChainPosition, ChainReader, positionAfter, SEQ_MAX, startOf } from "./chain-reader.ts";
import { StoreError, type StoreErrorCode } from "./errors.ts";
import { positionAt } from "./fitting-snapshots.ts";
import type { HeadState } from "./head-file.ts";
import type { LevelDatabase } from "./level-database.ts";

/** How far a verification has come. */
export interface VerifyProgress {
  /** The last record that was verified. */
  readonly seq: bigint;
  /** The records that HEAD knows of. */
  readonly total: bigint;
}

/** Options of an opening that verifies. */
export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** Called now and then, and once at the end. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** What the log may have that HEAD does not know of: one commit written, the next one being written. */
const LEAD_COMMITS_MAX = 2n;

/**
 * Reads a log from a position that is known to be good to its end, and compares it with its HEAD.
 *
 * @param from at or before the record that HEAD names
 * @returns the end of the log, at or up to two commits after HEAD
 * @throws StoreError any code of damage
 */
export async function verifyLog(
  backEnd: Pick<BackEnd, "frames">,
  head: HeadState,
  from: ChainPosition,
  options: VerifyOptions = {},
): Promise<ChainPosition> {
  const { signal, onProgress } = options;
  const reader = new ChainReader(from);
  let atHead = head.seq === from.seq ? from : undefined;
  for await (const batch of backEnd.frames(from.seq + 1n, SEQ_MAX)) {
    signal?.throwIfAborted();
    for (const raw of batch) {
      reader.accept(raw);
      if (reader.position.seq === head.seq) atHead = reader.position;
    }
    onProgress?.({ seq: reader.position.seq, total: head.seq });
  }
  signal?.throwIfAborted();
  const end = reader.position;
  checkAgainstHead(end, atHead, head);
  onProgress?.({ seq: end.seq, total: head.seq });
  return end;
}

/**
 * Compares the end of a log with its HEAD before anything is read up to there, so that a log that lost its end is refused
 * at once. What is read for it is not verified: that comes after.
 *
 * @throws StoreError as {@link checkAgainstHead}, `STORE_BAD_FRAME`, `STORE_BAD_RECORD`, `STORE_BAD_DATABASE`
 */
export async function checkEnd(database: Pick<LevelDatabase, "frames" | "lastFrame">, head: HeadState): Promise<void> {
  const last = await database.lastFrame();
  const end = last === undefined ? startOf(head.logId) : positionAfter(last);
  const atHead = [startOf(head.logId), end].find(({ seq }) => seq === head.seq) ?? (await positionAt(database, head.seq));
  checkAgainstHead(end, atHead, head);
}

/**
 * Compares the end of a log with its HEAD; `atHead` is the position at the record that HEAD names, if there is one.
 *
 * @throws StoreError `STORE_MISSING_TAIL`, `STORE_FORKED`, `STORE_STALE_HEAD`, `STORE_TORN_COMMIT`
 */
export function checkAgainstHead(end: ChainPosition, atHead: ChainPosition | undefined, head: HeadState): void {
  if (atHead === undefined)
    throw disagreement("STORE_MISSING_TAIL", "log", `records up to ${head.seq}, as HEAD says`, `records up to ${end.seq}`, end);
  if (atHead.commit !== head.commit || !sameBytes(atHead.chain, fromHex(head.chain))) {
    throw disagreement(
      "STORE_FORKED",
      "log",
      `record ${head.seq} to end commit ${head.commit} with chain link ${head.chain}, as HEAD says`,
      "another",
      atHead,
    );
  }
  if (end.epoch > head.epoch) {
    throw disagreement(
      "STORE_STALE_HEAD",
      "HEAD",
      `a HEAD of epoch ${end.epoch} or later, as the log has`,
      `one of epoch ${head.epoch}`,
      end,
    );
  }
  const lead = end.commit - head.commit;
  if (lead > LEAD_COMMITS_MAX || (lead === 0n && end.seq !== head.seq)) {
    throw disagreement(
      "STORE_STALE_HEAD",
      "HEAD",
      `a log at most ${LEAD_COMMITS_MAX} commits ahead of HEAD (commit ${head.commit})`,
      `one at commit ${end.commit}`,
      end,
    );
  }
  if (!end.endsCommit) {
    throw disagreement(
      "STORE_TORN_COMMIT",
      "log",
      "a log that ends with a whole commit",
      `one that ends inside commit ${end.commit}`,
      end,
    );
  }
}

function disagreement(code: StoreErrorCode, file: string, expected: string, got: string, at: ChainPosition): StoreError {
  return new StoreError(code, `expected ${expected}, got ${got}`, { place: { file, seq: at.seq, commit: at.commit } });
}
