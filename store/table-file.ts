import { Buffer } from "node:buffer";
import { crc32c, unmasked } from "./crc32c.ts";
import { StoreError, toStoreError } from "./errors.ts";
import { decompressSnappy, readVarint } from "./snappy.ts";

const FOOTER_BYTES = 48;
const MAGIC = "57fb808b247547db";
/** Behind each block: its type and the masked CRC-32C of both. */
const TRAILER_BYTES = 5;
const SNAPPY = 1;
/** Behind each key LevelDB keeps a number of its own. */
const KEY_TRAILER_BYTES = 8;

/** Where a block lies in its table, its trailer included. */
export interface Block {
  readonly at: number;
  readonly length: number;
}

/** Gives the bytes of a block, or refuses one that reaches out of the table. */
export type ReadBlock = (block: Block) => Promise<Buffer>;

/** What the end of a table says of it. */
export interface TableIndex {
  /** Blocks of keys and values, in their order. */
  readonly data: readonly Block[];
  /** The other blocks. */
  readonly others: readonly Block[];
}

/** A key and its value, empty for what is deleted. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** What the bytes of a table hold: the entries of its whole blocks, and what is wrong with the first that is not. */
export interface TableContent {
  readonly damage: StoreError | undefined;
  readonly entries: readonly Entry[];
}

/** Whether a file of a LevelDB database is a table. */
export function isTable(name: string): boolean {
  return /^\d+\.(ldb|sst)$/.test(name);
}

/** Reads all of a table that is not damaged; where its index is, that is nothing. */
export async function readTable(name: string, content: Buffer): Promise<TableContent> {
  let damage: StoreError | undefined;
  const attempt = async <T>(action: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await action();
    } catch (error) {
      damage ??= toStoreError(error, `reading log/${name}`, "STORE_BAD_DATABASE", { file: `log/${name}` });
      return undefined;
    }
  };
  const read = async (block: Block): Promise<Buffer> => {
    checkWithin(name, block, content.length);
    return content.subarray(block.at, block.at + block.length);
  };
  const index = await attempt(() => readIndex(name, content.length, read));
  for (const block of index?.others ?? []) await attempt(async () => checkBlock(name, block.at, await read(block)));
  const entries: Entry[] = [];
  for (const block of index?.data ?? []) entries.push(...((await attempt(() => readEntries(name, block, read))) ?? []));
  return { damage, entries };
}

/** Reads footer and indexes. */
export async function readIndex(name: string, size: number, read: ReadBlock): Promise<TableIndex> {
  const footer = await read({ at: size - FOOTER_BYTES, length: FOOTER_BYTES });
  if (footer.toString("hex", FOOTER_BYTES - MAGIC.length / 2) !== MAGIC) throw damaged(name, "a table", "a file of another kind");
  const metaIndex = locate(name, footer, 0);
  const blocksOf = async (index: Block): Promise<Block[]> =>
    (await readEntries(name, index, read)).map(([, value]) => locate(name, value, 0));
  return { others: await blocksOf(metaIndex), data: await blocksOf(locate(name, footer, metaIndex.next)) };
}

/** The last key of a table: the index itself keeps a shortened one. */
export async function readLastKey(name: string, { data }: TableIndex, read: ReadBlock): Promise<Uint8Array> {
  const block = data.at(-1);
  const last = block && (await readEntries(name, block, read)).at(-1);
  if (last === undefined) throw damaged(name, "a table with keys", "one without");
  return last[0];
}

/** Makes sure that a block lies within its table. */
export function checkWithin(name: string, { at, length }: Block, size: number): void {
  if (at < 0 || at + length > size) throw damaged(name, `blocks within its ${size} bytes`, `one up to ${at + length}`);
}

/** Makes sure that a block is what was written. */
export function checkBlock(name: string, at: number, block: Buffer): void {
  const sealed = block.length - TRAILER_BYTES + 1;
  const computed = crc32c(block.subarray(0, sealed));
  const stored = unmasked(block.readUInt32LE(sealed));
  if (stored === computed) return;
  throw damaged(name, `CRC ${computed.toString(16)} of the block at ${at}`, stored.toString(16));
}

/** That something in a table is not what was written. */
export function damaged(name: string, expected: string, got: string): StoreError {
  const file = `log/${name}`;
  return new StoreError("STORE_BAD_DATABASE", `expected ${expected} in ${file}, got ${got}`, { place: { file } });
}

async function readEntries(name: string, block: Block, read: ReadBlock): Promise<Entry[]> {
  const bytes = await read(block);
  checkBlock(name, block.at, bytes);
  const content = contentOf(bytes);
  const entries = content && parseEntries(content);
  if (entries === undefined) throw damaged(name, "a block of keys and values", "other bytes");
  return entries;
}

/** Where a block lies, as LevelDB notes it. */
function locate(name: string, bytes: Uint8Array, from: number): Block & { readonly next: number } {
  const at = readVarint(bytes, from);
  const length = at && readVarint(bytes, at.next);
  if (at === undefined || length === undefined) throw damaged(name, "the place of a block", "other bytes");
  return { at: at.value, length: length.value + TRAILER_BYTES, next: length.next };
}

/** The content of a checked block; undefined if it cannot be decompressed. */
function contentOf(block: Buffer): Uint8Array | undefined {
  const end = block.length - TRAILER_BYTES;
  return block[end] === SNAPPY ? decompressSnappy(block.subarray(0, end)) : block.subarray(0, end);
}

/** The entries of a block: keys share their beginning with the one before. */
function parseEntries(content: Uint8Array): Entry[] | undefined {
  if (content.length < 4) return undefined;
  const restarts = new DataView(content.buffer, content.byteOffset, content.byteLength).getUint32(content.length - 4, true);
  const end = content.length - 4 - 4 * restarts;
  const entries: Entry[] = [];
  let key = Buffer.alloc(0);
  for (let at = 0; at < end; ) {
    const shared = readVarint(content, at);
    const unshared = shared && readVarint(content, shared.next);
    const length = unshared && readVarint(content, unshared.next);
    if (shared === undefined || unshared === undefined || length === undefined) return undefined;
    const keyEnd = length.next + unshared.value;
    key = Buffer.concat([key.subarray(0, shared.value), content.subarray(length.next, keyEnd)]);
    at = keyEnd + length.value;
    if (key.length < KEY_TRAILER_BYTES) return undefined;
    entries.push([key.subarray(0, key.length - KEY_TRAILER_BYTES), content.subarray(keyEnd, at)]);
  }
  return entries;
}
