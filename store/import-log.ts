import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { RawFrame } from "./chain-reader.ts";
import { createStore } from "./create-level-log.ts";
import { errorCode, StoreError } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { ExportDecoder } from "./export-format.ts";
import { linesOf } from "./export-lines.ts";
import { LevelDatabase } from "./level-database.ts";

const BATCH_BYTES = 1024 * 1024;

/** How far an import has come. */
export interface ImportProgress {
  /** The last record that was verified and written. */
  readonly seq: bigint;
  /** Bytes of the file that were read, and all of them: it does not say before its end how many records it holds. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Options of {@link importLog}. */
export interface ImportOptions {
  readonly signal?: AbortSignal;
  /** Called for each record. */
  readonly onProgress?: (progress: ImportProgress) => void;
}

/**
 * Makes a store of an export file, in a directory that is absent or empty. Everything is verified first; where anything
 * is wrong, the directory stays as it was.
 *
 * The new store is the same log, with the same id: from then on only one of the two may be written to.
 *
 * @returns the end of the log
 * @throws StoreError `STORE_BAD_EXPORT` and other codes of damage, `STORE_UNKNOWN_FORMAT`, `STORE_NOT_FOUND`,
 * `STORE_EXISTS`, `STORE_FOREIGN`, `STORE_FULL`, `STORE_IO`; the reason of `signal`
 */
export async function importLog(file: string, directory: string, options: ImportOptions = {}): Promise<LogHead> {
  let head: LogHead | undefined;
  const fill = async (path: string): Promise<LogHead> => {
    head = await readInto(path, file, options);
    return head;
  };
  await createStore(directory, { fill, signal: options.signal });
  if (head === undefined) throw new StoreError("STORE_IO", `expected a store in ${directory}, got none`);
  return head;
}

async function readInto(path: string, file: string, { signal, onProgress }: ImportOptions): Promise<LogHead> {
  const decoder = new ExportDecoder();
  const totalBytes = await sizeOf(file);
  let read = 0;
  let database: LevelDatabase | undefined;
  let batch: RawFrame[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await database?.writeFrames(batch);
    batch = [];
    bytes = 0;
  };
  try {
    for await (const line of linesOf(createReadStream(file, { highWaterMark: BATCH_BYTES }))) {
      signal?.throwIfAborted();
      read += line.length + 1;
      const raw = decoder.line(line);
      database ??= await createDatabase(path, decoder.logId);
      if (raw === undefined) continue;
      batch.push(raw);
      bytes += raw.bytes.length;
      if (bytes > BATCH_BYTES) await flush();
      onProgress?.({ seq: raw.seq, bytes: read, totalBytes });
    }
    signal?.throwIfAborted();
    const head = decoder.end();
    await flush();
    return head;
  } finally {
    await database?.close();
  }
}

async function createDatabase(path: string, logId: string | undefined): Promise<LevelDatabase | undefined> {
  if (logId === undefined) return undefined;
  await LevelDatabase.create(path, logId);
  return LevelDatabase.open(path, logId);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new StoreError("STORE_NOT_FOUND", `expected an export file at ${file}, got none`, { cause: error });
  }
}
