import { rm } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { createStore, makeTemporary } from "./create-level-log.ts";
import { errorCode, guarded, StoreError, toStoreError } from "./errors.ts";
import type { LogHead, SnapshotLog } from "./event-log.ts";
import { HeadFile, type HeadState } from "./head-file.ts";
import { openLevelLog } from "./level-log.ts";
import { reserveDirectory } from "./open-directories.ts";
import { Ownership } from "./owner-file.ts";
import { bytesToCopy, type CopyFailures, copiesIn, copyDatabase, type DatabaseCopies } from "./salvage-copies.ts";
import { type KeptPrefix, keepPrefix } from "./salvage-prefix.ts";
import type { FoundDamage, SalvageProgress, SalvageReport } from "./salvage-report.ts";
import { SalvageSource } from "./salvage-source.ts";
import { checkFree, DATABASE, findRemains, HEAD, type Remains } from "./store-directory.ts";

/** Options of {@link salvageStore}. */
export interface SalvageOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SalvageProgress) => void;
  /**
   * Writes to the new log before it comes to its place, so that it is never there without: that it was salvaged, say.
   * Without it, no record is added.
   */
  readonly conclude?: (log: SnapshotLog, report: SalvageReport) => Promise<void>;
}

/**
 * Makes a new store, in a directory that is absent or empty, of the longest run of whole commits that a damaged one
 * still holds from its beginning. The damaged one is only read, and stays byte for byte as it was.
 *
 * What can be read is looked for in copies of the database that are made beside the new directory: one as it is, one
 * that LevelDB rebuilt, and one of what is whole in damaged tables. Every frame is verified against the one before,
 * wherever it comes from.
 *
 * The new store is the same log, with the same id, shortened: from then on it is a fork of the old one, which must not be
 * used any more. Nothing of it is made where anything fails.
 *
 * @throws StoreError `STORE_UNDAMAGED` if nothing is wrong with it, `STORE_NOTHING_LEFT` if not even the first commit is
 * whole, `STORE_LOCKED`, `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_EXISTS`, `STORE_UNKNOWN_FORMAT`, `STORE_FULL`,
 * `STORE_IO`; what `conclude` throws; the reason of `signal`
 */
export async function salvageStore(from: string, to: string, options: SalvageOptions = {}): Promise<SalvageReport> {
  options.signal?.throwIfAborted();
  const remains = await guarded(findRemains(from), `looking for a store in ${from}`);
  const target = await guarded(checkFree(resolve(to)), `looking for room at ${to}`);
  const parent = dirname(target);
  if (`${parent}${sep}`.startsWith(`${remains.path}${sep}`)) {
    throw new StoreError("STORE_FOREIGN", `expected a directory outside of ${from}, which stays as it is, got ${to}`);
  }
  const release = reserveDirectory(remains.path, true);
  try {
    const ownership = await guarded(lock(remains.path), `locking ${from}`);
    try {
      const scratch = await makeTemporary(parent, `.${basename(target)}.salvaging-`);
      try {
        return await salvage(remains, target, scratch, options);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    } finally {
      // Puts the file of an owner that is gone back: it is a part of the evidence.
      await ownership?.yield();
    }
  } finally {
    release();
  }
}

/** Undefined on a read-only file system that has no living owner: what is only read needs no more than that. */
async function lock(path: string): Promise<Ownership | undefined> {
  try {
    return await Ownership.acquire(path, true);
  } catch (error) {
    if (errorCode(error) === "EROFS") return undefined;
    throw error;
  }
}

async function salvage(remains: Remains, target: string, scratch: string, options: SalvageOptions): Promise<SalvageReport> {
  const { signal, onProgress, conclude } = options;
  const damage: FoundDamage[] = [];
  const note = ({ code, message, place }: StoreError): void => void damage.push({ code, message, place });
  const copies = copiesIn(scratch);
  const failures = await copy(join(remains.path, DATABASE), copies, options);
  for (const error of failures.unreadable) note(error);
  const head = await readHead(remains.path, note);
  if (typeof remains.logId !== "string") note(remains.logId);
  const source = await guarded(SalvageSource.open(copies, failures, note), "opening copies of the database", signal);
  let report: SalvageReport | undefined;
  const fill = async (database: string): Promise<LogHead> => {
    const marker = typeof remains.logId === "string" ? remains.logId : undefined;
    const found = await keepPrefix({ source, marker, head, database, note, signal, onProgress });
    if (damage.length === 0) {
      throw new StoreError("STORE_UNDAMAGED", `expected a damaged store in ${remains.path}, got one without damage`);
    }
    report = { ...reportOf(found, head), damage };
    return report.kept;
  };
  const finish = async (directory: string): Promise<void> => {
    const tell = onProgress === undefined ? {} : { onProgress: telling(onProgress) };
    const abort = signal === undefined ? {} : { signal };
    await using log = await openLevelLog(directory, { ...tell, ...abort, readOnly: conclude === undefined });
    if (report !== undefined) await conclude?.(log, report);
  };
  try {
    await createStore(target, { fill, finish, signal });
  } finally {
    await source.close();
  }
  if (report === undefined) throw new StoreError("STORE_IO", `expected a store in ${target}, got none`);
  return report;
}

function telling(onProgress: (progress: SalvageProgress) => void) {
  return ({ seq, total }: { seq: bigint; total: bigint }): void => onProgress({ step: "verifying", done: seq, total });
}

async function copy(path: string, copies: DatabaseCopies, { signal, onProgress }: SalvageOptions): Promise<CopyFailures> {
  const total = BigInt(await bytesToCopy(path));
  let done = 0n;
  const onBytes = (bytes: number): void => {
    signal?.throwIfAborted();
    done += BigInt(bytes);
    onProgress?.({ step: "copying", done, total });
  };
  return guarded(copyDatabase(path, copies, onBytes), "copying the database", signal);
}

async function readHead(path: string, note: (error: StoreError) => void): Promise<HeadState | undefined> {
  try {
    const file = await HeadFile.open(join(path, HEAD), true);
    await file.close();
    return file.state;
  } catch (error) {
    note(toStoreError(error, "reading HEAD", "STORE_BAD_HEAD", { file: HEAD }));
    return undefined;
  }
}

function reportOf({ kept, stranded }: KeptPrefix, head: HeadState | undefined): Omit<SalvageReport, "damage"> {
  const known = head !== undefined && head.logId === kept.logId ? head : undefined;
  const ends = [known?.seq ?? 0n, stranded.at(-1)?.to ?? 0n];
  const to = ends.reduce((a, b) => (a > b ? a : b));
  const lost = to > kept.seq ? { from: kept.seq + 1n, to } : undefined;
  // No epoch that the old log had may come again.
  const epoch = known !== undefined && known.epoch > kept.epoch ? known.epoch : kept.epoch;
  const seen = lost?.to ?? kept.seq;
  return { kept: { ...kept, epoch }, lost, isEndKnown: known !== undefined && known.seq >= seen, stranded };
}
