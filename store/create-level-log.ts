import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { toHex } from "./bytes.ts";
import { LOG_ID_BYTES } from "./chain.ts";
import { headAt, startOf } from "./chain-reader.ts";
import { errorCode, StoreError, toStoreError } from "./errors.ts";
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
 * @throws StoreError `STORE_EXISTS`, `STORE_FOREIGN`, `STORE_NOT_FOUND` if the parent is missing, `STORE_FULL`, `STORE_IO`
 */
export function createLevelLog(directory: string): Promise<void> {
  return createStore(directory, async (database) => {
    const logId = toHex(randomBytes(LOG_ID_BYTES));
    await LevelDatabase.create(database, logId);
    return headAt(logId, 0n, startOf(logId));
  });
}

/**
 * As {@link createLevelLog}, with a database that `fill` makes in an empty directory, closed again, and the head of what
 * it put there. Where `fill` fails, nothing is left.
 *
 * @throws StoreError as {@link createLevelLog}; the reason of `signal`
 */
export async function createStore(
  directory: string,
  fill: (database: string) => Promise<LogHead>,
  signal?: AbortSignal,
): Promise<void> {
  const target = await checkFree(resolve(directory));
  const parent = dirname(target);
  const building = await makeTemporary(parent, basename(target));
  try {
    await build(building, fill);
    await moveInto(building, target);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (signal?.aborted === true && error === signal.reason) throw error;
    throw toStoreError(error, `creating a store in ${directory}`);
  }
  await syncDirectory(parent);
}

async function makeTemporary(parent: string, name: string): Promise<string> {
  try {
    // mkdtemp makes it with mode 0700.
    return await mkdtemp(join(parent, `.${name}.creating-`));
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
    throw error;
  }
}
