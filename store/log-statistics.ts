import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./errors.ts";
import type { LogHead } from "./event-log.ts";
import { FRAME_OVERHEAD_BYTES } from "./frame.ts";
import { Growth, type GrowthPeriod } from "./growth.ts";
import { openToRead } from "./open-to-read.ts";
import { findStore } from "./store-directory.ts";
import type { VerifyOptions } from "./verify-log.ts";

const PERIODS_MAX = 24;

/** How much there is of one kind of record. */
export interface RecordKindStatistics {
  readonly machine: string;
  /** Type of the event. */
  readonly type: string;
  readonly records: number;
  /** Bytes of their frames. */
  readonly bytes: number;
}

/** How large a log is, and with what. Times are those in the records. */
export interface LogStatistics {
  readonly head: LogHead;
  /** Bytes of all frames. */
  readonly bytes: number;
  /** Those of them that were received from outside and are kept verbatim. */
  readonly receivedBytes: number;
  /** Bytes of all files of the directory. */
  readonly directoryBytes: number;
  /** By machine and type of the event, the largest first. */
  readonly kinds: readonly RecordKindStatistics[];
  /** Length of a period of `growth`, in milliseconds. */
  readonly periodMs: number;
  /** At most 24 periods, from the earliest record to the latest. */
  readonly growth: readonly GrowthPeriod[];
}

/**
 * Measures a log, verifying it; nothing is appended. A live owner is asked for it.
 *
 * @throws StoreError as `openLevelLog`, `STORE_OWNER_LOST`; the reason of `signal`
 */
export async function measureLog(directory: string, options: VerifyOptions = {}): Promise<LogStatistics> {
  const kinds = new Map<string, { machine: string; type: string; records: number; bytes: number }>();
  const growth = new Growth(PERIODS_MAX);
  let [bytes, receivedBytes] = [0, 0];
  await using log = await openToRead(directory, options);
  for await (const { record, body } of log.read(options.signal === undefined ? {} : { signal: options.signal })) {
    const { machine, type } = record;
    const frameBytes = FRAME_OVERHEAD_BYTES + body.length;
    const key = `${machine}\0${type}`;
    const kind = kinds.get(key) ?? { machine, type, records: 0, bytes: 0 };
    kinds.set(key, { ...kind, records: kind.records + 1, bytes: kind.bytes + frameBytes });
    growth.add(Number(record.atMs), frameBytes);
    bytes += frameBytes;
    receivedBytes += record.blobs.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  }
  return {
    head: log.head(),
    bytes,
    receivedBytes,
    directoryBytes: await sizeOf((await findStore(directory)).path),
    kinds: [...kinds.values()].sort((a, b) => b.bytes - a.bytes),
    periodMs: growth.periodMs,
    growth: growth.periods(),
  };
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += await sizeOfFile(join(entry.parentPath, entry.name));
  }
  return bytes;
}

/** A file that vanishes meanwhile counts nothing: LevelDB tidies up in the background. */
async function sizeOfFile(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}
