import { Buffer } from "node:buffer";
import { chmod, lstat, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, StoreError, toStoreError } from "./errors.ts";
import { DIRECTORY_MODE, FILE_MODE, readIfPresent } from "./files.ts";
import { decodeSealedText, encodeSealedText } from "./sealed-text.ts";

/** Names inside the directory of a store. */
export const MARKER = "HEARTWOOD";
export const HEAD = "HEAD";
export const DATABASE = "log";
export const SNAPSHOTS = "snapshots";

/** Files of LevelDB that hold something of the log. */
export const DATABASE_FILE = /^(CURRENT|MANIFEST-[0-9]+|[0-9]+\.(ldb|sst|log))$/;

const TITLE = "heartwood store";
const FORMAT = "1";
const LOG_ID = /^[0-9a-f]{64}$/;

/** Content of the marker file, which makes a directory a store (docs/log-format.md §6). */
export function encodeMarker(logId: string): string {
  return encodeSealedText(TITLE, { format: FORMAT, log: logId });
}

/** A directory that is a store. */
export interface StoreDirectory {
  /** Its path without symbolic links. */
  readonly path: string;
  readonly logId: string;
}

/**
 * Looks whether a directory is a store, touching nothing.
 *
 * @throws StoreError `STORE_NOT_FOUND` if it is absent or empty, `STORE_FOREIGN` if it holds something else,
 * `STORE_BAD_MARKER`, `STORE_UNKNOWN_FORMAT`
 */
export async function findStore(directory: string): Promise<StoreDirectory> {
  const found = await classify(directory);
  if (found.kind === "absent" || found.kind === "empty") {
    throw new StoreError(
      "STORE_NOT_FOUND",
      `expected a store in ${directory}, got ${found.kind === "absent" ? "nothing" : "an empty directory"}: create it first`,
    );
  }
  if (found.kind === "foreign") throw foreign(directory, found.what);
  const content = await readIfPresent(join(found.path, MARKER));
  const members = content === undefined ? undefined : decodeSealedText(TITLE, Buffer.from(content).toString("utf8"));
  const { format, log } = members ?? {};
  if (format !== undefined && format !== FORMAT) {
    throw new StoreError("STORE_UNKNOWN_FORMAT", `expected a store of format ${FORMAT}, got format ${format}`, {
      place: { file: MARKER },
    });
  }
  if (log === undefined || !LOG_ID.test(log)) {
    const got = content === undefined ? "none" : "a damaged one";
    throw new StoreError("STORE_BAD_MARKER", `expected a ${MARKER} file, got ${got}`, { place: { file: MARKER } });
  }
  return { path: found.path, logId: log };
}

/**
 * Takes the rights of group and others away, which a copy may have given them. What belongs to another user stays as it
 * is, and so does everything on a file system without modes.
 */
export async function makePrivate(path: string): Promise<void> {
  const user = process.getuid?.();
  for (const name of ["", DATABASE, SNAPSHOTS, HEAD, MARKER]) {
    const part = join(path, name);
    const found = await lstat(part).catch(() => undefined);
    if (found === undefined || found.isSymbolicLink() || found.uid !== user || (found.mode & 0o077) === 0) continue;
    await chmod(part, found.isDirectory() ? DIRECTORY_MODE : FILE_MODE).catch(() => undefined);
  }
}

/** What is left of a store: its path without symbolic links, and the log's id or why it cannot be told. */
export interface Remains {
  readonly path: string;
  readonly logId: string | StoreError;
}

/**
 * Looks whether a directory is what is left of a store, touching nothing: a database is enough.
 *
 * @throws StoreError `STORE_NOT_FOUND` if it is absent or empty, `STORE_FOREIGN` if it holds something else,
 * `STORE_UNKNOWN_FORMAT`
 */
export async function findRemains(directory: string): Promise<Remains> {
  try {
    return await findStore(directory);
  } catch (error) {
    const damage = toStoreError(error, "reading the marker", "STORE_BAD_MARKER", { file: MARKER });
    const isRemains = damage.code === "STORE_BAD_MARKER" || damage.code === "STORE_FOREIGN";
    if (!isRemains || !(await hasDatabase(directory))) throw error;
    return { path: await realpath(directory), logId: damage };
  }
}

async function hasDatabase(directory: string): Promise<boolean> {
  try {
    return (await readdir(join(directory, DATABASE))).some((name) => DATABASE_FILE.test(name));
  } catch {
    return false;
  }
}

/**
 * Makes sure that a store can be created here: nothing or an empty directory.
 *
 * @returns where, without symbolic links if the directory exists
 * @throws StoreError `STORE_EXISTS`, `STORE_FOREIGN`
 */
export async function checkFree(directory: string): Promise<string> {
  const found = await classify(directory);
  if (found.kind === "store") throw new StoreError("STORE_EXISTS", `expected no store in ${directory}, got one`);
  if (found.kind === "foreign") throw foreign(directory, found.what);
  return found.kind === "empty" ? found.path : directory;
}

type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "empty"; readonly path: string }
  | { readonly kind: "store"; readonly path: string }
  | { readonly kind: "foreign"; readonly what: string };

async function classify(directory: string): Promise<Found> {
  try {
    if (!(await stat(directory)).isDirectory()) return { kind: "foreign", what: "a file" };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOTDIR") return { kind: "foreign", what: "a file in its path" };
    if (code !== "ENOENT") throw error;
    return (await isDangling(directory)) ? { kind: "foreign", what: "a symbolic link to nothing" } : { kind: "absent" };
  }
  const path = await realpath(directory);
  const names = await readdir(path);
  if (names.length === 0) return { kind: "empty", path };
  // Without its marker a store that lost one file is still no stranger.
  if (names.includes(MARKER) || (names.includes(HEAD) && names.includes(DATABASE))) return { kind: "store", path };
  return { kind: "foreign", what: `a directory with ${names.length} other entries` };
}

async function isDangling(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

function foreign(directory: string, what: string): StoreError {
  return new StoreError("STORE_FOREIGN", `expected a store or an empty directory at ${directory}, got ${what}`);
}
