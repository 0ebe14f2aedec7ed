import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import type { BackEnd } from "./back-end.ts";
import { BackedLog, type FramedLog } from "./backed-log.ts";
import type { RawFrame } from "./chain-reader.ts";
import { errorCode, StoreError, toStoreError } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { ExportDecoder } from "./export-format.ts";
import { linesOf } from "./export-lines.ts";
import type { VerifyOptions } from "./verify-log.ts";

const READ_BYTES = 1024 * 1024;
/** Places of lines are kept in blocks of so many. */
const BLOCK = 65_536;

/**
 * Opens an export file (docs/log-format.md §9) for reading where it lies. It is verified whole first; then records are
 * read from the file as they are asked for, and only the place of each is kept in memory.
 *
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_BAD_EXPORT` and other codes of damage, `STORE_UNKNOWN_FORMAT`; the reason of `signal`
 */
export async function openExport(path: string, options: VerifyOptions = {}): Promise<FramedLog> {
  const file = await openFile(path);
  try {
    const { places, head } = await readPlaces(file, options);
    return new BackedLog({ backEnd: exportBackEnd(file, places), head, readOnly: true });
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readPlaces(file: FileHandle, { signal, onProgress }: VerifyOptions) {
  const decoder = new ExportDecoder();
  const places = new Places();
  const total = BigInt((await file.stat()).size);
  let end = 0;
  for await (const line of linesOf(file.createReadStream({ start: 0, autoClose: false, highWaterMark: READ_BYTES }))) {
    signal?.throwIfAborted();
    const start = end;
    end += line.length + 1;
    if (decoder.line(line) === undefined) continue;
    places.push(start, line.length);
    onProgress?.({ seq: BigInt(end), total });
  }
  return { places, head: decoder.end() satisfies LogHead };
}

function exportBackEnd(file: FileHandle, places: Places): BackEnd {
  const refuse = async (): Promise<never> => {
    throw new StoreError("STORE_READ_ONLY", "expected a log to write to, got an export file");
  };
  return {
    frames: (from, to) => framesOf(file, places, Number(from), Math.min(Number(to), places.count)),
    getSnapshot: async () => undefined,
    listSnapshots: async () => [],
    writeFrames: refuse,
    writeHead: refuse,
    putSnapshot: refuse,
    deleteSnapshot: refuse,
    close: () => file.close(),
  };
}

/** Neighbours stand behind each other in the file, so they are read at once. */
async function* framesOf(file: FileHandle, places: Places, from: number, to: number): AsyncGenerator<RawFrame[]> {
  for (let next = from; next <= to; ) {
    const start = places.startOf(next);
    let last = next;
    while (last < to && places.endOf(last + 1) - start <= READ_BYTES) last++;
    const bytes = Buffer.alloc(places.endOf(last) - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) {
      throw new StoreError("STORE_BAD_EXPORT", `expected ${bytes.length} bytes at ${start}, got ${bytesRead}: the file was cut`);
    }
    const frames: RawFrame[] = [];
    for (; next <= last; next++) {
      const text = bytes.toString("latin1", places.startOf(next) - start, places.endOf(next) - start);
      frames.push({ seq: BigInt(next), bytes: new Uint8Array(Buffer.from(text, "base64")) });
    }
    yield frames;
  }
}

/** Where the line of each record begins and ends, by number from 1. */
class Places {
  readonly #starts: Float64Array[] = [];
  readonly #lengths: Uint32Array[] = [];
  count = 0;

  push(start: number, length: number): void {
    if (this.count % BLOCK === 0) {
      this.#starts.push(new Float64Array(BLOCK));
      this.#lengths.push(new Uint32Array(BLOCK));
    }
    const [starts, lengths] = [this.#starts.at(-1), this.#lengths.at(-1)];
    if (starts === undefined || lengths === undefined) return;
    starts[this.count % BLOCK] = start;
    lengths[this.count % BLOCK] = length;
    this.count++;
  }

  startOf(seq: number): number {
    return this.#starts[Math.floor((seq - 1) / BLOCK)]?.[(seq - 1) % BLOCK] ?? 0;
  }

  endOf(seq: number): number {
    return this.startOf(seq) + (this.#lengths[Math.floor((seq - 1) / BLOCK)]?.[(seq - 1) % BLOCK] ?? 0);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw toStoreError(error, `opening ${path}`);
    throw new StoreError("STORE_NOT_FOUND", `expected an export file at ${path}, got none`, { cause: error });
  }
}
