import { access } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Level } from "level";
import { fromHex, readU64, toHex } from "./bytes.ts";
import { LOG_ID_BYTES } from "./chain.ts";
import { type RawFrame, SEQ_MAX } from "./chain-reader.ts";
import { errorCode, StoreError, toStoreError } from "./errors.ts";
import { succeeds } from "./files.ts";
import { TableGuard } from "./table-guard.ts";

const FRAME_PREFIX = 0x65;
const FRAME_KEY_BYTES = 9;
const IDENTITY_KEY = new Uint8Array([0x69]);
const IDENTITY_FORMAT = 1;
const READ_FRAMES = 1_024;
const READ_BYTES = 1024 * 1024;

/** Frames in LevelDB: keys are `e ‖ seq u64`, and under `i` the id of the log stands again (docs/log-format.md §4). */
export class LevelDatabase {
  readonly #level: Level<Uint8Array, Uint8Array>;
  /** Undefined where damage is looked for. */
  readonly #guard: TableGuard | undefined;

  private constructor(level: Level<Uint8Array, Uint8Array>, guard?: TableGuard) {
    this.#level = level;
    this.#guard = guard;
  }

  /** Makes a new database with the log's id in it, and closes it. */
  static async create(path: string, logId: string): Promise<void> {
    const database = new LevelDatabase(await openLevel(path, { createIfMissing: true, errorIfExists: true }));
    try {
      await database.#level.put(IDENTITY_KEY, encodeIdentity(logId), { sync: true });
    } finally {
      await database.close();
    }
  }

  /** Puts entries of whatever log into a database, which is made where there is none; those without a value are left out. */
  static async put(path: string, entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Promise<void> {
    const level = await openLevel(path, { createIfMissing: true });
    try {
      const batch = level.batch();
      for (const [key, value] of entries) if (value.length > 0) batch.put(key, value);
      await batch.write();
    } finally {
      await level.close();
    }
  }

  /**
   * Opens a database; LevelDB moves what its write-ahead log holds into tables, whatever the purpose.
   *
   * @throws StoreError `STORE_LOCKED` if another process has it open, `STORE_BAD_DATABASE`, `STORE_SWAPPED` if it is
   * another log's, `STORE_FULL`
   */
  static async open(path: string, logId: string): Promise<LevelDatabase> {
    await checkCurrent(path);
    const { opened, guard } = await TableGuard.around(path, () => openLevel(path, { createIfMissing: false }));
    const database = new LevelDatabase(opened, guard);
    try {
      await database.#checkIdentity(logId);
    } catch (error) {
      await database.close();
      throw error;
    }
    return database;
  }

  /** As {@link LevelDatabase.open}, of whatever log it is: for looking at what is left of a damaged one. */
  static async openUnchecked(path: string): Promise<LevelDatabase> {
    await checkCurrent(path);
    return new LevelDatabase(await openLevel(path, { createIfMissing: false }));
  }

  /**
   * Lets LevelDB make a database anew of what its files hold, and opens it. It drops what it cannot read, and may bring
   * back what it should not: only what verifies by itself may be used.
   *
   * @throws StoreError `STORE_BAD_DATABASE`, `STORE_FULL`
   */
  static async rebuild(path: string): Promise<LevelDatabase> {
    try {
      await repair(path);
    } catch (error) {
      throw toStoreError(error, "rebuilding the database", "STORE_BAD_DATABASE", { file: "log" });
    }
    return LevelDatabase.openUnchecked(path);
  }

  /**
   * Id of the log that the database says to be.
   *
   * @throws StoreError `STORE_BAD_DATABASE` if it does not stand there, or not whole
   */
  async logId(): Promise<string> {
    await this.#guard?.check(IDENTITY_KEY);
    const value = await readOrRefuse(this.#level.get(IDENTITY_KEY));
    const found = value === undefined ? undefined : decodeIdentity(value);
    if (found !== undefined) return found;
    throw new StoreError(
      "STORE_BAD_DATABASE",
      `expected the log id in the database, got ${value === undefined ? "none" : "a damaged one"}`,
      { place: { file: "log" } },
    );
  }

  /**
   * All frames that stand there in batches.
   *
   * @throws StoreError `STORE_BAD_DATABASE`, if a key cannot be read only after all others
   */
  async *allFrames(): AsyncGenerator<readonly RawFrame[], void, undefined> {
    let unreadable: Uint8Array | undefined;
    for await (const entries of this.#entries(0n, SEQ_MAX)) {
      const readable = entries.filter(([key]) => key.length === FRAME_KEY_BYTES);
      if (readable.length > 0) yield readable.map(([key, bytes]) => ({ seq: decodeKey(key), bytes }));
      unreadable ??= entries.find(([key]) => key.length !== FRAME_KEY_BYTES)?.[0];
    }
    if (unreadable !== undefined) decodeKey(unreadable);
  }

  /** Frames from … to, both included, in order, at most about 1 MiB at a time. */
  async *frames(from: bigint, to: bigint): AsyncGenerator<readonly RawFrame[], void, undefined> {
    for await (const entries of this.#entries(from, to)) yield entries.map(([key, bytes]) => ({ seq: decodeKey(key), bytes }));
  }

  /**
   * The frame with the greatest number, if there is any. Every table is checked for it.
   *
   * @throws StoreError `STORE_BAD_DATABASE`
   */
  async lastFrame(): Promise<RawFrame | undefined> {
    await this.#guard?.check(frameKey(0n));
    const iterator = this.#level.iterator({ gte: frameKey(0n), lte: frameKey(SEQ_MAX), reverse: true, limit: 1 });
    try {
      const entry = await readOrRefuse(iterator.next());
      return entry && { seq: decodeKey(entry[0]), bytes: entry[1] };
    } finally {
      await iterator.close();
    }
  }

  async *#entries(from: bigint, to: bigint): AsyncGenerator<[Uint8Array, Uint8Array][], void, undefined> {
    await this.#guard?.check(frameKey(from));
    const options = { gte: frameKey(from), lte: frameKey(to), highWaterMarkBytes: READ_BYTES, fillCache: false };
    const iterator = this.#level.iterator(options);
    try {
      for (;;) {
        const entries = await iterator.nextv(READ_FRAMES);
        if (entries.length === 0) return;
        yield entries;
      }
    } catch (error) {
      throw toStoreError(error, "reading the database", "STORE_BAD_DATABASE", { file: "log" });
    } finally {
      await iterator.close();
    }
  }

  /** Writes frames in one synced batch. */
  async writeFrames(frames: readonly RawFrame[]): Promise<void> {
    // Put by put, which costs a fifth of what a list of operations does.
    const batch = this.#level.batch();
    const keys = new Uint8Array(frames.length * FRAME_KEY_BYTES);
    for (const [index, { seq, bytes }] of frames.entries()) {
      const key = keys.subarray(index * FRAME_KEY_BYTES, (index + 1) * FRAME_KEY_BYTES);
      batch.put(writeKey(key, seq), bytes);
    }
    await batch.write({ sync: true });
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  async #checkIdentity(logId: string): Promise<void> {
    const found = await this.logId();
    if (found !== logId) {
      throw new StoreError("STORE_SWAPPED", `expected the database of log ${logId}, got that of ${found}`, {
        place: { file: "log" },
      });
    }
  }
}

/** What `Level` can do in Node, its types do not say: they are those of every platform. */
function repair(path: string): Promise<void> {
  return (Level as unknown as { repair(path: string): Promise<void> }).repair(path);
}

/** LevelDB makes a missing directory even where it then refuses to make a database. */
async function checkCurrent(path: string): Promise<void> {
  if (await succeeds(access(join(path, "CURRENT")), "ENOENT")) return;
  throw new StoreError("STORE_BAD_DATABASE", "expected a database with a CURRENT file, got none", { place: { file: "log" } });
}

async function openLevel(
  path: string,
  options: { createIfMissing: boolean; errorIfExists?: boolean },
): Promise<Level<Uint8Array, Uint8Array>> {
  const level = new Level<Uint8Array, Uint8Array>(path, { keyEncoding: "view", valueEncoding: "view", ...options });
  try {
    await level.open();
    return level;
  } catch (error) {
    if (error instanceof Error && errorCode(error.cause) === "LEVEL_LOCKED") {
      throw new StoreError("STORE_LOCKED", "expected a database that nobody has open, got one that LevelDB found locked", {
        cause: error,
      });
    }
    throw toStoreError(error, "opening the database", "STORE_BAD_DATABASE", { file: "log" });
  }
}

async function readOrRefuse<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw toStoreError(error, "reading the database", "STORE_BAD_DATABASE", { file: "log" });
  }
}

function frameKey(seq: bigint): Uint8Array {
  return writeKey(new Uint8Array(FRAME_KEY_BYTES), seq);
}

function writeKey(key: Uint8Array, seq: bigint): Uint8Array {
  key[0] = FRAME_PREFIX;
  new DataView(key.buffer, key.byteOffset).setBigUint64(1, seq);
  return key;
}

function decodeKey(key: Uint8Array): bigint {
  if (key.length !== FRAME_KEY_BYTES) {
    throw new StoreError("STORE_BAD_DATABASE", `expected a key of ${FRAME_KEY_BYTES} bytes, got ${toHex(key)}`, {
      place: { file: "log" },
    });
  }
  return readU64(key, 1);
}

function encodeIdentity(logId: string): Uint8Array {
  const bytes = new Uint8Array(1 + LOG_ID_BYTES + 4);
  bytes[0] = IDENTITY_FORMAT;
  bytes.set(fromHex(logId), 1);
  new DataView(bytes.buffer).setUint32(1 + LOG_ID_BYTES, crc32(bytes.subarray(0, 1 + LOG_ID_BYTES)));
  return bytes;
}

function decodeIdentity(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 1 + LOG_ID_BYTES + 4 || bytes[0] !== IDENTITY_FORMAT) return undefined;
  const content = bytes.subarray(0, 1 + LOG_ID_BYTES);
  const stored = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(content.length);
  return stored === crc32(content) ? toHex(content.subarray(1)) : undefined;
}
