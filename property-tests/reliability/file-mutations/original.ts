import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createLevelLog, openLevelLog, type Snapshot, type SnapshotLog, type StoredRecord } from "../../../store/index.ts";
import type { Random } from "../random.ts";
import { collect, recordBody } from "../records.ts";

/** The files of a store's directory by their paths in it. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A store as it was at one moment, and everything that an opening may find in it. */
export interface Original {
  /** The same records in two directories: closed in order, and as a crash leaves it. */
  readonly states: readonly Files[];
  /** The directory at earlier moments, the oldest first. */
  readonly history: readonly Files[];
  /** The directory of another log. */
  readonly other: Files;
  readonly records: readonly StoredRecord[];
  /** Chain link of the last record. */
  readonly chain: string;
  readonly snapshots: readonly Snapshot[];
}

const SESSION_RECORDS = 2_520;
const WAL_RECORDS = 120;
const LEAST_RECORDS = 5_000;
const LEAST_TABLE_BYTES = 10_000;
// They say nothing about the log, and LevelDB makes them anew.
const LEFT_OUT = /^(OWNER.*|log\/LOCK|log\/LOG|log\/LOG\.old)$/;

/** Makes the store that is mutated: two tables of more than half of it, the rest in the write-ahead log. */
export async function makeOriginal(directory: string, random: Random): Promise<Original> {
  const path = join(directory, "original");
  await createLevelLog(path);
  const history = [readFiles(path)];
  for (let session = 0; session < 2; session++) {
    await using log = await openLevelLog(path);
    for (const part of [1, 2]) {
      await appendTo(log, log.head().seq + BigInt(SESSION_RECORDS / 2), random);
      if (part === 1) await log.saveSnapshot(snapshotAt(log.head().seq));
      history.push(readFiles(path));
    }
  }
  const log = await openLevelLog(path);
  history.push(readFiles(path));
  await log.saveSnapshot(snapshotAt(log.head().seq));
  const end = log.head().seq + BigInt(WAL_RECORDS);
  while (log.head().seq < end) {
    await appendTo(log, log.head().seq + BigInt(1 + random.below(6)), random);
    history.push(readFiles(path));
  }
  await log.saveSnapshot(snapshotAt(log.head().seq));
  const crashed = readFiles(path);
  const records = await collect(log.read());
  const { chain } = log.head();
  await log.close();
  const closed = readFiles(path);
  const other = join(directory, "other");
  await createLevelLog(other);
  const snapshots = [...closed.keys()].filter((name) => name.startsWith("snapshots/"));
  checkShape(closed, records, snapshots);
  return {
    states: [closed, crashed],
    history,
    other: readFiles(other),
    records,
    chain,
    snapshots: snapshots.map((name) => snapshotAt(BigInt(name.slice("snapshots/".length)))),
  };
}

/** All files of a store but those that say nothing about the log. */
function readFiles(directory: string): Files {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (entry.isFile() && !LEFT_OUT.test(name)) files.set(name, readFileSync(path));
  }
  return files;
}

/** Makes a directory with these files. */
export function writeFiles(directory: string, files: Files): void {
  const folders = new Set([...files.keys()].map((name) => dirname(join(directory, name))));
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, content] of files) writeFileSync(join(directory, name), content);
}

/** The bytes of a snapshot follow from its record, as those of the records do. */
function snapshotAt(seq: bigint): Snapshot {
  return { seq, parts: [recordBody(seq, 1n, 40), recordBody(seq, 2n, 900)] };
}

/** Appends up to a record, in commits of one record and of many. */
async function appendTo(log: SnapshotLog, last: bigint, random: Random): Promise<void> {
  const { epoch } = log.head();
  for (let seq = log.head().seq; seq < last; seq = log.head().seq) {
    const left = Number(last - seq);
    const count = Math.min(left, random.oneIn(3) ? 1 : 1 + random.below(40));
    const bodies = Array.from({ length: count }, (_, at) => recordBody(seq + BigInt(at) + 1n, epoch));
    await log.append({ epoch, expectedSeq: seq + 1n, bodies });
  }
}

function checkShape(files: Files, records: readonly StoredRecord[], snapshots: readonly string[]): void {
  const tables = [...files].filter(([name, content]) => name.endsWith(".ldb") && content.length >= LEAST_TABLE_BYTES);
  assert.ok(records.length >= LEAST_RECORDS, `expected ${LEAST_RECORDS} records, got ${records.length}`);
  assert.ok(tables.length >= 2, `expected two large tables, got ${tables.length}`);
  assert.equal(snapshots.length, 2);
}
