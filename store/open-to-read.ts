import { join } from "node:path";
import type { BackEnd } from "./back-end.ts";
import { BackedLog, type FramedLog } from "./backed-log.ts";
import { startOf } from "./chain-reader.ts";
import { isStoreError, StoreError } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { decodePage } from "./frame-page.ts";
import { type OpenLevelLogOptions, openLevelLog } from "./level-log.ts";
import { lockedBy } from "./lock-holder.ts";
import { decodeHead, framesPath, HEAD_PATH } from "./log-routes.ts";
import { NoAnswer, OwnerClient, type OwnerClientOptions } from "./owner-client.ts";
import { SnapshotFiles } from "./snapshot-files.ts";
import { findStore, MARKER, SNAPSHOTS } from "./store-directory.ts";
import { readLock, type StoreLock } from "./unlock-store.ts";
import { verifyLog } from "./verify-log.ts";

/** Options of {@link openToRead}. Of a live owner's log nothing is `needed`, nor its `end`: each record is verified when it is read. */
export interface OpenToReadOptions extends Omit<OpenLevelLogOptions, "readOnly">, OwnerClientOptions {}

/** A log as it was committed when its owner, another process or this one, was asked for it. */
export class LiveLog extends BackedLog {}

/** How often a directory that changes hands meanwhile is looked at. */
const ATTEMPTS = 4;

/**
 * Opens a log for reading, whether or not somebody has it open: a live owner is asked through the socket in its directory;
 * without an owner the directory is opened, and locked until the log is closed.
 *
 * @throws StoreError as `openLevelLog`; `STORE_LOCKED` if an owner does not answer; `STORE_OWNER_LOST` while reading, if
 * it does not any more
 */
export async function openToRead(directory: string, options: OpenToReadOptions = {}): Promise<FramedLog> {
  const { patienceMs: _, ...rest } = options;
  for (let attempt = 1; ; attempt++) {
    const live = await openLive(directory, options);
    if (live !== undefined) return live;
    try {
      return await openLevelLog(directory, { ...rest, readOnly: true });
    } catch (error) {
      // Somebody was faster; perhaps it answers.
      if (attempt === ATTEMPTS || !isStoreError(error, "STORE_LOCKED") || !(await isHeldHere(directory))) throw error;
    }
  }
}

/**
 * The log of a live owner as it is committed now; undefined if there is none.
 *
 * @throws as {@link openToRead}
 */
export async function openLive(directory: string, options: OpenToReadOptions): Promise<LiveLog | undefined> {
  options.signal?.throwIfAborted();
  const store = await findStore(directory);
  const lock = await readLock(directory);
  if (lock?.state !== "here") return undefined;
  const client = await OwnerClient.in(store.path, options);
  try {
    const head = decodeHead(await client.get(HEAD_PATH));
    if (head === undefined) throw new NoAnswer("expected the end of a log, got something else");
    if (head.logId !== store.logId) {
      throw new StoreError("STORE_SWAPPED", `expected the owner of log ${store.logId}, got that of ${head.logId}`, {
        place: { file: MARKER },
      });
    }
    const backEnd = liveBackEnd(store.path, client, head);
    if ((options.verify ?? "everything") === "everything")
      await verifyLog(backEnd, { ...head, clean: false }, startOf(head.logId), options);
    return new LiveLog({ backEnd, head, readOnly: true });
  } catch (error) {
    await client.close();
    if (!(error instanceof NoAnswer)) throw error;
    // It may have ended just now.
    if (!isSame(lock, await readLock(directory))) return undefined;
    throw lockedBy(lock.holder, `, and which does not answer (${error.message})`);
  }
}

function liveBackEnd(path: string, client: OwnerClient, head: LogHead): BackEnd {
  const snapshots = new SnapshotFiles(join(path, SNAPSHOTS));
  const refuse = async (): Promise<never> => {
    throw new StoreError("STORE_READ_ONLY", "expected a log of our own to write to, got that of another owner");
  };
  return {
    frames: (from, to) => liveFrames(client, from, to < head.seq ? to : head.seq),
    getSnapshot: (seq) => snapshots.get(seq),
    listSnapshots: () => snapshots.list(),
    writeFrames: refuse,
    writeHead: refuse,
    putSnapshot: refuse,
    deleteSnapshot: refuse,
    close: () => client.close(),
  };
}

async function* liveFrames(client: OwnerClient, from: bigint, to: bigint) {
  for (let next = from; next <= to; ) {
    const page = decodePage(await ownersAnswer(client.get(framesPath(next, to))));
    if (page === undefined) throw ownerLost("expected frames, got something else");
    const last = page.at(-1);
    if (last === undefined) return; // The reader notices what is missing.
    yield page;
    next = last.seq + 1n;
  }
}

async function ownersAnswer<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof NoAnswer) throw ownerLost(error.message, error);
    throw error;
  }
}

function ownerLost(why: string, cause?: unknown): StoreError {
  return new StoreError("STORE_OWNER_LOST", `the process that has the store open does not answer any more: ${why}`, { cause });
}

async function isHeldHere(directory: string): Promise<boolean> {
  return (await readLock(directory))?.state === "here";
}

function isSame({ holder }: StoreLock, now: StoreLock | undefined): boolean {
  return now?.state === "here" && now.holder.pid === holder.pid && now.holder.since === holder.since;
}
