import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RawFrame } from "./chain-reader.ts";
import { errorCode, isStoreError, type StoreError, toStoreError } from "./errors.ts";
import { DIRECTORY_MODE, FILE_MODE } from "./files.ts";
import { LevelDatabase } from "./level-database.ts";
import { DATABASE_FILE } from "./store-directory.ts";

/** Every copy of one record that was found: at least one, none of them verified. */
export interface FrameCopies {
  readonly seq: bigint;
  readonly copies: readonly Uint8Array[];
}

/**
 * Copies the files of a damaged database; the original is only read. A file that the disk does not give out any more is
 * left out.
 *
 * @param onBytes hears of each file's size once it is copied
 * @returns the refusals of files that were left out
 */
export async function copyDatabase(from: string, to: string, onBytes: (bytes: number) => void): Promise<StoreError[]> {
  const failures: StoreError[] = [];
  await mkdir(to, { mode: DIRECTORY_MODE });
  for (const name of await filesOf(from)) {
    const content = await readFile(join(from, name)).catch((error: unknown) => {
      failures.push(toStoreError(error, `reading log/${name}`, "STORE_BAD_DATABASE", { file: `log/${name}` }));
      return undefined;
    });
    if (content === undefined) continue;
    // Not synced: a copy outlives no crash.
    await writeFile(join(to, name), content, { flag: "wx", mode: FILE_MODE });
    onBytes(content.length);
  }
  return failures;
}

/** Bytes of the files that {@link copyDatabase} would copy. */
export async function databaseBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await filesOf(path))
    bytes += await stat(join(path, name)).then(
      ({ size }) => size,
      () => 0,
    );
  return bytes;
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

/** The copies of a damaged database that can be read: as it is, and rebuilt by LevelDB from what its files hold. */
export class SalvageSource {
  readonly #databases: readonly LevelDatabase[];
  /** What is wrong with the database as it is, apart from its frames. */
  readonly refusals: readonly StoreError[];
  /** Log ids that stand in the copies. */
  readonly logIds: readonly string[];

  private constructor(databases: readonly LevelDatabase[], refusals: readonly StoreError[], logIds: readonly string[]) {
    this.#databases = databases;
    this.refusals = refusals;
    this.logIds = logIds;
  }

  /** Opens the copies, which changes them; `rebuilt` is rebuilt first. One that cannot be opened is done without. */
  static async open(asItIs: string, rebuilt: string): Promise<SalvageSource> {
    const databases: LevelDatabase[] = [];
    const refusals: StoreError[] = [];
    const logIds: string[] = [];
    const ways = [
      { open: () => LevelDatabase.openUnchecked(asItIs), failures: refusals },
      { open: () => LevelDatabase.rebuild(rebuilt), failures: [] },
    ];
    for (const { open, failures } of ways) {
      try {
        const database = await open();
        databases.push(database);
        logIds.push(await database.logId());
      } catch (error) {
        if (!isStoreError(error) || error.code === "STORE_FULL") throw error;
        failures.push(error);
      }
    }
    return new SalvageSource(databases, refusals, logIds);
  }

  /** All that is under keys of records, ascending, from every copy. */
  async *frames(): AsyncGenerator<FrameCopies, void, undefined> {
    const readers = this.#databases.map((database) => new Reader(database));
    try {
      for (const reader of readers) await reader.next();
      for (;;) {
        const [first, ...others] = readers.flatMap(({ current }) => (current === undefined ? [] : [current.seq]));
        if (first === undefined) return;
        const seq = others.reduce((least, other) => (other < least ? other : least), first);
        const found = readers.filter(({ current }) => current?.seq === seq);
        yield { seq, copies: found.flatMap(({ current }) => (current === undefined ? [] : [current.bytes])) };
        for (const reader of found) await reader.next();
      }
    } finally {
      for (const reader of readers) await reader.close();
    }
  }

  async close(): Promise<void> {
    for (const database of this.#databases) await database.close();
  }
}

/** One copy's records in order; what stands out of order, and all after a failure to read, is passed over. */
class Reader {
  readonly #batches: AsyncGenerator<readonly RawFrame[], void, undefined>;
  #batch: readonly RawFrame[] = [];
  #at = 0;
  current: RawFrame | undefined;

  constructor(database: LevelDatabase) {
    this.#batches = database.allFrames();
  }

  async next(): Promise<void> {
    const last = this.current?.seq ?? 0n;
    do {
      if (this.#at >= this.#batch.length) await this.#fill();
      this.current = this.#batch[this.#at++];
    } while (this.current !== undefined && this.current.seq <= last);
  }

  async close(): Promise<void> {
    await this.#batches.return();
  }

  async #fill(): Promise<void> {
    this.#at = 0;
    try {
      const { value } = await this.#batches.next();
      this.#batch = value ?? [];
    } catch (error) {
      if (!isStoreError(error, "STORE_BAD_DATABASE")) throw error;
      this.#batch = [];
    }
  }
}
