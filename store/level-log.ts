import { join } from "node:path";
import type { BackEnd } from "./back-end.ts";
import { BackedLog, type FramedLog } from "./backed-log.ts";
import { fromHex } from "./bytes.ts";
import { type ChainPosition, headAt, startOf } from "./chain-reader.ts";
import { errorCode, guarded, isStoreError, StoreError, toStoreError } from "./errors.ts";
import { syncDirectory } from "./files.ts";
import { boundPosition, newestFirst } from "./fitting-snapshots.ts";
import { HeadFile, type HeadState } from "./head-file.ts";
import { LevelDatabase } from "./level-database.ts";
import { lockedBy } from "./lock-holder.ts";
import { reserveDirectory } from "./open-directories.ts";
import { type Owner, Ownership } from "./owner-file.ts";
import { isThisBoot } from "./process-identity.ts";
import { SnapshotFiles } from "./snapshot-files.ts";
import { DATABASE, findStore, HEAD, makePrivate, SNAPSHOTS, type StoreDirectory } from "./store-directory.ts";
import { checkEnd, type VerifyOptions, verifyLog } from "./verify-log.ts";

/** Options of {@link openLevelLog}. */
export interface OpenLevelLogOptions extends VerifyOptions {
  /**
   * Appends nothing, raises no epoch, leaves HEAD as it is. The directory is locked all the same, since LevelDB has no
   * reading mode: it moves its write-ahead log into tables.
   */
  readonly readOnly?: boolean;
  /**
   * How much is read before the log is handed out.
   *
   * - `everything`, the default.
   * - `needed`: from the newest snapshot after an orderly close; from the older one, `unverifiedUpTo` telling how far
   *   back that is, after a process that died in this run of the machine; else everything. For callers that restore
   *   from a snapshot. What was not read is verified when it is.
   * - `end`: what comes after the record that HEAD names. For callers that read everything from the first record.
   */
  readonly verify?: "everything" | "needed" | "end";
}

/**
 * Opens a log in a directory, and verifies it.
 *
 * For writing, the epoch is one more than before; the caller's first record should say so. Nothing is repaired: damage
 * is refused. `onProgress` hears of each batch verified; `signal` ends the opening with its reason.
 *
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_LOCKED`, `STORE_UNKNOWN_FORMAT`, any code of damage,
 * `STORE_FULL`, `STORE_IO`
 */
export async function openLevelLog(directory: string, options: OpenLevelLogOptions = {}): Promise<FramedLog> {
  options.signal?.throwIfAborted();
  const store = await guarded(findStore(directory), `looking for a store in ${directory}`);
  const cleanup = new Cleanup();
  cleanup.add(async (release) => release(), reserveDirectory(store.path, options.readOnly === true));
  try {
    return await guarded(openReserved(store, options, cleanup), `opening the store in ${directory}`, options.signal);
  } catch (error) {
    // The reason of the refusal counts, not what else fails while everything is given free.
    await cleanup.run().catch(() => undefined);
    throw error;
  }
}

async function openReserved(store: StoreDirectory, options: OpenLevelLogOptions, cleanup: Cleanup): Promise<FramedLog> {
  const readOnly = options.readOnly === true;
  const ownership = await lock(store.path, readOnly);
  cleanup.add((owned) => owned.release(), ownership);
  if (!readOnly) await makePrivate(store.path);
  const headFile = await HeadFile.open(join(store.path, HEAD), readOnly);
  cleanup.add((file) => file.close(), headFile);
  const found = headFile.state;
  if (found.logId !== store.logId) {
    throw new StoreError("STORE_SWAPPED", `expected the HEAD of log ${store.logId}, got that of ${found.logId}`, {
      place: { file: HEAD },
    });
  }
  const database = await openDatabase(store, ownership);
  cleanup.add((opened) => opened.close(), database);
  const epoch = readOnly ? found.epoch : found.epoch + 1n;
  await ownership.confirm(epoch);
  const snapshots = new SnapshotFiles(join(store.path, SNAPSHOTS));
  const backEnd = levelBackEnd({ database, headFile, snapshots, readOnly, cleanup });
  const start = await startOfVerification({ database, snapshots, head: found, gone: ownership.gone }, options);
  if (start.from.seq === 0n) await checkEnd(database, found);
  const end = await verifyLog(database, found, start.from, options);
  const head = headAt(store.logId, epoch, end);
  if (!readOnly) {
    // What LevelDB recovered lies in a synced table now; its name must last before HEAD says that it does.
    await syncDirectory(join(store.path, DATABASE));
    await headFile.write({ ...head, clean: false });
  }
  return new BackedLog({ backEnd, head, readOnly, unverifiedUpTo: start.unverifiedUpTo });
}

async function lock(path: string, readOnly: boolean): Promise<Ownership> {
  try {
    return await Ownership.acquire(path, readOnly);
  } catch (error) {
    if (errorCode(error) !== "EROFS") throw error;
    const got = `got a read-only file system at ${path}: copy the directory to a writable place`;
    throw new StoreError("STORE_IO", `expected to lock the directory, which reading it needs too, ${got}`, { cause: error });
  }
}

/**
 * How much the way in which the log was left allows to take as read. Of a snapshot only its binding is looked at: where
 * its content turns out to be damaged, whoever restores reads on from an older one, verifying as it reads.
 */
async function startOfVerification(
  { database, snapshots, head, gone }: LeftBehind,
  { verify = "everything" }: OpenLevelLogOptions,
): Promise<{ readonly from: ChainPosition; readonly unverifiedUpTo: bigint }> {
  const beginning = { from: startOf(head.logId), unverifiedUpTo: 0n };
  if (verify === "everything") return beginning;
  if (verify === "end") {
    const end = await boundPosition(database, { ...head, chain: fromHex(head.chain) }, head);
    return end === undefined ? beginning : { from: end, unverifiedUpTo: end.seq };
  }
  const positions: ChainPosition[] = [];
  for (const seq of newestFirst(await snapshots.list())) {
    const binding = await snapshots.binding(seq);
    const position = binding?.seq === seq ? await boundPosition(database, binding, head) : undefined;
    if (position === undefined) continue;
    if (head.clean) return { from: position, unverifiedUpTo: 0n };
    positions.push(position);
  }
  const older = positions[1];
  if (older === undefined || gone === undefined || !(await diedInThisBoot(gone, head))) return beginning;
  return { from: older, unverifiedUpTo: older.seq };
}

interface LeftBehind {
  readonly database: LevelDatabase;
  readonly snapshots: SnapshotFiles;
  readonly head: HeadState;
  /** Who had the directory before and did not give it free. */
  readonly gone: Owner | undefined;
}

/**
 * Whether a process that was writing died while the machine went on: what it had written is there. HEAD has its epoch
 * only if its own verification had come to the end.
 */
async function diedInThisBoot({ readOnly, epoch, bootId }: Owner, head: HeadState): Promise<boolean> {
  return !readOnly && epoch === head.epoch && head.failed !== true && (await isThisBoot(bootId));
}

async function openDatabase(store: StoreDirectory, ownership: Ownership): Promise<LevelDatabase> {
  try {
    return await LevelDatabase.open(join(store.path, DATABASE), store.logId);
  } catch (error) {
    if (!isStoreError(error, "STORE_LOCKED")) throw error;
    // LevelDB is the last arbiter: whoever looked gone is not.
    await ownership.yield();
    if (ownership.gone === undefined) throw error;
    throw lockedBy(ownership.gone, "; it cannot be seen from here (another container?), but LevelDB's lock is held");
  }
}

interface OpenedParts {
  readonly database: LevelDatabase;
  readonly headFile: HeadFile;
  readonly snapshots: SnapshotFiles;
  readonly readOnly: boolean;
  readonly cleanup: Cleanup;
}

function levelBackEnd({ database, headFile, snapshots, readOnly, cleanup }: OpenedParts): BackEnd {
  return {
    frames: (from, to) => database.frames(from, to),
    async writeFrames(frames) {
      try {
        await database.writeFrames(frames);
      } catch (error) {
        // Whoever opens it after this process was killed must not think that it was killed in the midst of good work.
        await headFile.fail().catch(() => undefined);
        throw error;
      }
    },
    writeHead: (head) => headFile.write({ ...head, clean: false }),
    putSnapshot: (seq, pieces) => snapshots.put(seq, pieces),
    getSnapshot: (seq) => snapshots.get(seq),
    listSnapshots: () => snapshots.list(),
    deleteSnapshot: (seq) => snapshots.delete(seq),
    async close(head) {
      try {
        if (head !== undefined && !readOnly) await headFile.write({ ...head, clean: true });
      } finally {
        await cleanup.run();
      }
    },
  };
}

/** What was opened, given free in reverse order. */
class Cleanup {
  readonly #steps: (() => Promise<void>)[] = [];

  add<T>(release: (resource: T) => Promise<void>, resource: T): void {
    this.#steps.push(() => release(resource));
  }

  /** Runs every step, whatever fails; then throws the first failure. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw toStoreError(failures[0], "closing the store");
  }
}
