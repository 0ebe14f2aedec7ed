import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { toHex } from "./bytes.ts";
import { LOG_ID_BYTES } from "./chain.ts";
import { headAt, startOf } from "./chain-reader.ts";
import { errorCode, guarded, StoreError, toStoreError } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { DIRECTORY_MODE, syncDirectory, writeNewFile } from "./files.ts";
import { HeadFile } from "./head-file.ts";
import { LevelDatabase } from "./level-database.ts";
import { checkFree, DATABASE, encodeMarker, HEAD, MARKER } from "./store-directory.ts";

/**
 * Creates an empty log in a directory that is absent or empty; its parent must exist.
 *
 * It is built beside its place and moved there whole, so that a crash leaves the directory as it was or a ready log
 * (and perhaps a hidden `.NAME.creating-…` directory that can be removed).
 *
 * @throws StoreError `STORE_EXISTS`, `STORE_FOREIGN` if there is something else or a mount point, `STORE_NOT_FOUND` if the
 * parent is missing, `STORE_FULL`, `STORE_IO`
 */
export function createLevelLog(directory: string): Promise<void> {
  const fill = async (database: string): Promise<LogHead> => {
    const logId = toHex(randomBytes(LOG_ID_BYTES));
    await LevelDatabase.create(database, logId);
    return headAt(logId, 0n, startOf(logId));
  };
  return createStore(directory, { fill });
}

/** How {@link createStore} makes a store. */
export interface StoreCreation {
  /** Makes the database in an empty directory, closes it, and says the head of what it put there. */
  readonly fill: (database: string) => Promise<LogHead>;
  /** Works on the ready store before it is moved to its place. */
  readonly finish?: (directory: string) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * As {@link createLevelLog}, with a content. Where a part of it fails, nothing is left.
 *
 * @throws StoreError as {@link createLevelLog}; what `finish` throws; the reason of `signal`
 */
export async function createStore(directory: string, { fill, finish, signal }: StoreCreation): Promise<void> {
  const target = await checkFree(resolve(directory));
  const parent = dirname(target);
  if (await isOtherFileSystem(target, parent)) throw mountPoint(target);
  const building = await makeTemporary(parent, `.${basename(target)}.creating-`);
  const doing = `creating a store in ${directory}`;
  try {
    await guarded(build(building, fill), doing, signal);
    await finish?.(building);
    await guarded(moveInto(building, target), doing);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
  await syncDirectory(parent);
}

/**
 * Makes a directory that only its owner can read, with a name that begins so.
 *
 * @throws StoreError `STORE_NOT_FOUND` if the parent is missing, `STORE_FULL`, `STORE_IO`
 */
export async function makeTemporary(parent: string, prefix: string): Promise<string> {
  try {
    // mkdtemp makes it with mode 0700.
    return await mkdtemp(join(parent, prefix));
  } catch (error) {
    if (errorCode(error) === "ENOENT")
      throw new StoreError("STORE_NOT_FOUND", `expected the directory ${parent}, got none`, { cause: error });
    throw toStoreError(error, `creating a directory in ${parent}`);
  }
}

async function build(path: string, fill: (database: string) => Promise<LogHead>): Promise<void> {
  const database = join(path, DATABASE);
  await mkdir(database, { mode: DIRECTORY_MODE });
  const head = await fill(database);
  await syncDirectory(database);
  await HeadFile.create(join(path, HEAD), { ...head, clean: true });
  await writeNewFile(join(path, MARKER), encodeMarker(head.logId));
  await syncDirectory(path);
}

/** Replaces an empty directory too; one that was filled meanwhile is refused by its kind. */
async function moveInto(building: string, target: string): Promise<void> {
  try {
    await rename(building, target);
  } catch (error) {
    await checkFree(target);
    throw errorCode(error) === "EBUSY" ? mountPoint(target, error) : error;
  }
}

/** Said before anything is made: the parent of a mount point is often not ours to write. */
async function isOtherFileSystem(target: string, parent: string): Promise<boolean> {
  const [itself, above] = await Promise.all([target, parent].map((path) => stat(path).catch(() => undefined)));
  return itself !== undefined && above !== undefined && itself.dev !== above.dev;
}

function mountPoint(target: string, cause?: unknown): StoreError {
  const message = `expected a directory that can be replaced, got the mount point ${target}: choose a directory inside of it`;
  return new StoreError("STORE_FOREIGN", message, { cause });
}
