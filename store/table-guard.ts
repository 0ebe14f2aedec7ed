import { Buffer } from "node:buffer";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32c } from "./crc32c.ts";
import { errorCode, StoreError } from "./errors.ts";
import { decompressSnappy, readVarint } from "./snappy.ts";

const TABLE = /^\d+\.(ldb|sst)$/;
const FOOTER_BYTES = 48;
const MAGIC = "57fb808b247547db";
/** Behind each block: its type and the masked CRC-32C of both. */
const TRAILER_BYTES = 5;
const SNAPPY = 1;
/** Behind each key LevelDB keeps a number of its own. */
const KEY_TRAILER_BYTES = 8;
const CRC_MASK = 0xa282ead8;

/** Where a block lies in its table. */
interface Block {
  readonly at: number;
  readonly length: number;
}

/** What the end of a table says of it. */
interface TableIndex {
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
  /** Tables that were not checked yet, with their index once it was. */
  readonly #unchecked: Map<string, TableIndex | undefined>;
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
   * Makes sure that reading from a key on meets no damaged block.
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
    const read = async ({ at, length }: Block) => {
      if (at < 0 || at + length > size) throw damaged(name, `blocks within its ${size} bytes`, `one up to ${at + length}`);
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, at);
      if (bytesRead < length) throw damaged(name, `${length} bytes at ${at}`, `${bytesRead}`);
      return bytes;
    };
    const index = this.#unchecked.get(name) ?? (await readIndex(name, size, read));
    this.#unchecked.set(name, index);
    if (Buffer.compare(index.lastKey, from) < 0) return;
    const whole = await read({ at: 0, length: size });
    for (const block of index.blocks) checkBlock(name, block.at, whole.subarray(block.at, block.at + block.length));
    this.#unchecked.delete(name);
  }
}

async function listTables(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => TABLE.test(name));
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Reads footer, indexes and the last block, which holds the last key: the index itself keeps a shortened one. */
async function readIndex(name: string, size: number, read: (block: Block) => Promise<Buffer>): Promise<TableIndex> {
  const footer = await read({ at: size - FOOTER_BYTES, length: FOOTER_BYTES });
  if (footer.toString("hex", FOOTER_BYTES - MAGIC.length / 2) !== MAGIC) throw damaged(name, "a table", "a file of another kind");
  const readEntriesOf = async (block: Block) => {
    const bytes = await read(block);
    checkBlock(name, block.at, bytes);
    const content = contentOf(bytes);
    const entries = content && readEntries(content);
    if (entries === undefined) throw damaged(name, "a block of keys and values", "other bytes");
    return entries;
  };
  const metaIndex = locate(name, footer, 0);
  const others = await readEntriesOf(metaIndex);
  const data = await readEntriesOf(locate(name, footer, metaIndex.next));
  const blocks = [...others, ...data].map(({ value }) => locate(name, value, 0));
  const lastBlock = blocks.at(-1);
  const last = lastBlock && (await readEntriesOf(lastBlock)).at(-1);
  if (last === undefined) throw damaged(name, "a table with keys", "one without");
  return { blocks, lastKey: last.key };
}

/** Where a block lies, its trailer included, as LevelDB notes it. */
function locate(name: string, bytes: Uint8Array, from: number): Block & { readonly next: number } {
  const at = readVarint(bytes, from);
  const length = at && readVarint(bytes, at.next);
  if (at === undefined || length === undefined) throw damaged(name, "the place of a block", "other bytes");
  return { at: at.value, length: length.value + TRAILER_BYTES, next: length.next };
}

/** Makes sure that a block is what was written. */
function checkBlock(name: string, at: number, block: Buffer): void {
  const sealed = block.length - TRAILER_BYTES + 1;
  const computed = crc32c(block.subarray(0, sealed));
  const stored = unmasked(block.readUInt32LE(sealed));
  if (stored === computed) return;
  throw damaged(name, `CRC ${computed.toString(16)} of the block at ${at}`, stored.toString(16));
}

/** LevelDB masks what it stores, so that a CRC of bytes that hold CRCs still says something. */
function unmasked(crc: number): number {
  const rotated = (crc - CRC_MASK) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** The content of a checked block; undefined if it cannot be decompressed. */
function contentOf(block: Buffer): Uint8Array | undefined {
  const end = block.length - TRAILER_BYTES;
  return block[end] === SNAPPY ? decompressSnappy(block.subarray(0, end)) : block.subarray(0, end);
}

/** The entries of a block: keys share their beginning with the one before. */
function readEntries(content: Uint8Array): { key: Uint8Array; value: Uint8Array }[] | undefined {
  const restarts = new DataView(content.buffer, content.byteOffset, content.byteLength).getUint32(content.length - 4, true);
  const end = content.length - 4 - 4 * restarts;
  const entries: { key: Uint8Array; value: Uint8Array }[] = [];
  let key = Buffer.alloc(0);
  for (let at = 0; at < end; ) {
    const shared = readVarint(content, at);
    const unshared = shared && readVarint(content, shared.next);
    const length = unshared && readVarint(content, unshared.next);
    if (shared === undefined || unshared === undefined || length === undefined) return undefined;
    const keyEnd = length.next + unshared.value;
    key = Buffer.concat([key.subarray(0, shared.value), content.subarray(length.next, keyEnd)]);
    at = keyEnd + length.value;
    entries.push({ key: key.subarray(0, key.length - KEY_TRAILER_BYTES), value: content.subarray(keyEnd, at) });
  }
  return entries;
}

function damaged(name: string, expected: string, got: string): StoreError {
  const file = `log/${name}`;
  return new StoreError("STORE_BAD_DATABASE", `expected ${expected} in ${file}, got ${got}`, { place: { file } });
}
