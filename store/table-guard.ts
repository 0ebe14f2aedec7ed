import { Buffer } from "node:buffer";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./errors.ts";
import { type Block, checkBlock, checkWithin, damaged, isTable, readIndex, readLastKey } from "./table-file.ts";

/** A table up to this is read at once, not first its index and then the rest. */
const SMALL_BYTES = 256 * 1024;

/** What is known of a table before all of it is read. */
interface KnownTable {
  readonly blocks: readonly Block[];
  readonly lastKey: Uint8Array;
}

/**
 * Checks the tables of a LevelDB database before it reads them.
 *
 * LevelDB does not look at their checksums, and at some damaged blocks it neither shows wrong values nor refuses: an
 * assertion ends the process. So each table is checked once, before the first reading that could touch it.
 */
export class TableGuard {
  readonly #directory: string;
  /** Tables that were not checked yet, with what is known of them. */
  readonly #unchecked: Map<string, KnownTable | undefined>;
  #checking: Promise<void> = Promise.resolve();

  private constructor(directory: string, names: readonly string[]) {
    this.#directory = directory;
    this.#unchecked = new Map(names.map((name) => [name, undefined]));
  }

  /**
   * A guard of the tables that are there before and after the database is opened: LevelDB removes what a crash left
   * half-written, and what it writes from then on is not looked at.
   */
  static async around<T>(directory: string, opening: () => Promise<T>): Promise<{ opened: T; guard: TableGuard }> {
    const before = await listTables(directory);
    const opened = await opening();
    const after = new Set(await listTables(directory));
    const names = before.filter((name) => after.has(name));
    return { opened, guard: new TableGuard(directory, names) };
  }

  /**
   * Makes sure that reading from a key on meets no damaged block. However little is wanted: to find a key LevelDB looks into
   * the next table of each level, and into every table of the first one, also far behind what is wanted.
   *
   * @throws StoreError `STORE_BAD_DATABASE`
   */
  check(from: Uint8Array): Promise<void> {
    const checking = this.#checking.then(() => this.#check(from));
    this.#checking = checking.catch(() => undefined);
    return checking;
  }

  async #check(from: Uint8Array): Promise<void> {
    for (const [name, known] of this.#unchecked) {
      if (known !== undefined && Buffer.compare(known.lastKey, from) < 0) continue;
      const file = await openIfPresent(join(this.#directory, name));
      // LevelDB has merged it into another one.
      if (file === undefined) this.#unchecked.delete(name);
      else await this.#checkTable(name, file, from).finally(() => file.close());
    }
  }

  async #checkTable(name: string, file: FileHandle, from: Uint8Array): Promise<void> {
    const { size } = await file.stat();
    const readFrom = async ({ at, length }: Block) => {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, at);
      if (bytesRead < length) throw damaged(name, `${length} bytes at ${at}`, `${bytesRead}`);
      return bytes;
    };
    const small = size <= SMALL_BYTES ? await readFrom({ at: 0, length: size }) : undefined;
    const read = async (block: Block) => {
      checkWithin(name, block, size);
      return small?.subarray(block.at, block.at + block.length) ?? readFrom(block);
    };
    const known = this.#unchecked.get(name) ?? (await know(name, size, read));
    this.#unchecked.set(name, known);
    if (Buffer.compare(known.lastKey, from) < 0) return;
    const whole = await read({ at: 0, length: size });
    for (const block of known.blocks) checkBlock(name, block.at, whole.subarray(block.at, block.at + block.length));
    this.#unchecked.delete(name);
  }
}

async function listTables(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => isTable(name));
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function know(name: string, size: number, read: (block: Block) => Promise<Buffer>): Promise<KnownTable> {
  const index = await readIndex(name, size, read);
  return { blocks: [...index.others, ...index.data], lastKey: await readLastKey(name, index, read) };
}
