import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, type StoreError, toStoreError } from "./errors.ts";
import { DIRECTORY_MODE, FILE_MODE } from "./files.ts";
import { LevelDatabase } from "./level-database.ts";
import { DATABASE_FILE } from "./store-directory.ts";
import { isTable, readTable } from "./table-file.ts";
import { isWal, wholeWal } from "./wal-file.ts";

/** Where the copies of a damaged database are. Opening changes a database: each way to read it has a copy of its own. */
export interface DatabaseCopies {
  /** The files as they are, damaged tables apart. */
  readonly asItIs: string;
  /** What LevelDB may rebuild a database of: as before, and of the write-ahead log only what is whole. */
  readonly rebuilt: string;
  /** A database of what can be read of the damaged tables; absent where no table is damaged. */
  readonly recovered: string;
}

/** What was found wrong while copying. */
export interface CopyFailures {
  /** Refusals of files that the disk does not give out any more. */
  readonly unreadable: readonly StoreError[];
  /** What is wrong with tables that were left out. */
  readonly damagedTables: readonly StoreError[];
}

/** The copies that are made in a directory. */
export function copiesIn(directory: string): DatabaseCopies {
  return {
    asItIs: join(directory, "as-it-is"),
    rebuilt: join(directory, "rebuilt"),
    recovered: join(directory, "recovered"),
  };
}

/**
 * Copies the files of a damaged database; the original is only read. What could make LevelDB end the process is kept from
 * it.
 *
 * @param onBytes hears of each copied file's size, once for each copy
 */
export async function copyDatabase(
  from: string,
  { asItIs, rebuilt, recovered }: DatabaseCopies,
  onBytes: (bytes: number) => void,
): Promise<CopyFailures> {
  const unreadable: StoreError[] = [];
  const damagedTables: StoreError[] = [];
  for (const path of [asItIs, rebuilt]) await mkdir(path, { mode: DIRECTORY_MODE });
  for (const name of await filesOf(from)) {
    const content = await readFile(join(from, name)).catch((error: unknown) => {
      unreadable.push(toStoreError(error, `reading log/${name}`, "STORE_BAD_DATABASE", { file: `log/${name}` }));
      return undefined;
    });
    if (content === undefined) continue;
    const { damage, entries } = isTable(name) ? await readTable(name, content) : { damage: undefined, entries: [] };
    if (damage !== undefined) {
      damagedTables.push(damage);
      await LevelDatabase.put(recovered, entries);
      continue;
    }
    await write(join(asItIs, name), content);
    onBytes(content.length);
    await write(join(rebuilt, name), isWal(name) ? wholeWal(content) : content);
    onBytes(content.length);
  }
  return { unreadable, damagedTables };
}

/** Bytes that {@link copyDatabase} would write, if nothing is damaged. */
export async function bytesToCopy(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await filesOf(path))
    bytes += await stat(join(path, name)).then(
      ({ size }) => size,
      () => 0,
    );
  return 2 * bytes;
}

/** Not synced: a copy outlives no crash. */
function write(path: string, content: Uint8Array): Promise<void> {
  return writeFile(path, content, { flag: "wx", mode: FILE_MODE });
}

async function filesOf(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory() && DATABASE_FILE.test(entry.name)).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
    throw error;
  }
}
