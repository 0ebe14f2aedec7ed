import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  isStoreError,
  type OpenLevelLogOptions,
  openLevelLog,
  type ReadOptions,
  type Snapshot,
  type SnapshotLog,
  type StoredRecord,
  type StoreErrorCode,
} from "../../store/index.ts";
import { type Mutation, mutate } from "./file-mutations/mutate.ts";
import { makeOriginal, type Original, writeFiles } from "./file-mutations/original.ts";
import type { Lane } from "./lane.ts";
import { Random } from "./random.ts";
import { collect } from "./records.ts";
import { withScratch } from "./scratch.ts";

/** What an opening found: the code with which it refused, or what it reads. */
export type Finding = StoreErrorCode | Found;

/** What an opening that did not refuse reads. */
export interface Found {
  /** Chain link of the last record. */
  readonly chain: string;
  readonly lastSeq: bigint;
  /** The records that were asked for. */
  readonly records: readonly StoredRecord[];
  /** The snapshots that it trusts. */
  readonly snapshots: readonly Snapshot[];
}

/** A way to open a store, given free again at the end. */
export type Opener = (directory: string, range: ReadOptions) => Promise<Finding>;

/** The ways to open a store, and how often a case chooses each: what reads less takes less time. */
const OPENERS: { readonly [name: string]: { readonly share: number; readonly open: Opener } } = {
  "read-only": { share: 1, open: (directory, range) => openAndRead(directory, range, { readOnly: true }) },
  writable: { share: 1, open: (directory, range) => openAndRead(directory, range, {}) },
  "verifying what is needed": { share: 2, open: (directory, range) => openAndRead(directory, range, { verify: "needed" }) },
};
const SHARES = Object.fromEntries(Object.entries(OPENERS).map(([name, { share }]) => [name, share]));

const HANG_MS = 60_000;
const WINDOW_RECORDS = 200;
/** Damage that is none: these would say that the caller or the machine is at fault. */
const NO_DAMAGE: ReadonlySet<StoreErrorCode> = new Set<StoreErrorCode>([
  "STORE_NOT_FOUND",
  "STORE_EXISTS",
  "STORE_FOREIGN",
  "STORE_LOCKED",
  "STORE_CONFLICT",
  "STORE_OUT_OF_RANGE",
  "STORE_READ_ONLY",
  "STORE_CLOSED",
  "STORE_FULL",
  "STORE_IO",
  "STORE_POISONED",
]);

/**
 * A file of a store is flipped, cut, zeroed, deleted or put back to an older one. Opening then refuses with a code of
 * damage, or shows exactly the records that were appended: never fewer, never others, and never without an answer.
 */
export const fileMutations: Lane = {
  name: "file-mutations",
  unit: "mutations",
  counts: { ci: 20_000, soak: 1_000_000, test: 80 },
  shards: 2,
  leastPercent: { file: 4, kind: 1, opener: 10 },
  run: (run) =>
    withScratch(async (directory) => {
      const original = await makeOriginal(directory, new Random(run.seed));
      await using bench = await SnapshotBench.open(join(directory, "bench"), original);
      for (const index of run.cases()) {
        const random = new Random(run.seed, index + 1);
        const mutation = mutate(original, random);
        const opener = random.weighted(SHARES);
        run.add("file", mutation.fileClass);
        run.add("kind", mutation.kind);
        // Snapshots are read when they are asked for: most of their mutations need no opening of their own.
        if (mutation.fileClass === "snapshot" && !random.oneIn(16)) {
          await bench.check(mutation, original);
          run.add("outcome", "right state");
          continue;
        }
        run.add("opener", opener);
        const outcome = await checkOpening(join(directory, "mutated"), mutation, original, opener, random);
        run.add("outcome", outcome);
      }
    }),
};

async function checkOpening(
  directory: string,
  mutation: Mutation,
  original: Original,
  opener: string,
  random: Random,
): Promise<string> {
  writeFiles(directory, mutation.files);
  const found = await judged(mutation, opener, () => {
    const chosen = OPENERS[opener];
    assert.ok(chosen !== undefined);
    return chosen.open(directory, rangeToRead(mutation, original, random));
  });
  if (typeof found === "string") {
    assert.ok(!NO_DAMAGE.has(found), `${mutation.description}, ${opener}: expected a code of damage, got ${found}`);
  } else {
    checkFound(found, mutation, original);
  }
  rmSync(directory, { recursive: true });
  return typeof found === "string" ? found : "right state";
}

/** All records where their bytes may be touched; else, mostly, some of them and the chain link that seals all. */
function rangeToRead({ fileClass }: Mutation, { records }: Original, random: Random): ReadOptions {
  const isTouched = fileClass === "table" || fileClass === "wal" || fileClass === "manifest" || fileClass === "database";
  if (isTouched || random.oneIn(16)) return {};
  const from = BigInt(1 + random.below(records.length));
  return { from, to: from + BigInt(WINDOW_RECORDS) };
}

function checkFound(found: Found, mutation: Mutation, { records, chain, snapshots }: Original): void {
  const what = mutation.description;
  assert.equal(found.lastSeq, BigInt(records.length), `${what}: expected all records`);
  assert.equal(found.chain, chain, `${what}: another chain link at the end`);
  const first = found.records[0]?.seq ?? 1n;
  for (const [at, { seq, commit, body }] of found.records.entries()) {
    const written = records[Number(first) - 1 + at];
    assert.equal(seq, first + BigInt(at), `${what}: a gap`);
    assert.equal(commit, written?.commit, `${what}: record ${seq} is of another commit`);
    assert.ok(written !== undefined && Buffer.compare(body, written.body) === 0, `${what}: record ${seq} changed`);
  }
  assert.ok(found.records.length > 0);
  checkSnapshots(found.snapshots, snapshots, what);
  if (mutation.fileClass !== "snapshot") assert.equal(found.snapshots.length, snapshots.length, `${what}: a snapshot lost`);
}

/** Each is one that was saved, byte for byte. */
function checkSnapshots(found: readonly Snapshot[], saved: readonly Snapshot[], what: string): void {
  for (const { seq, parts } of found) {
    const original = saved.find((snapshot) => snapshot.seq === seq);
    assert.ok(original !== undefined, `${what}: a snapshot of record ${seq} that was never saved`);
    assert.deepEqual(parts.map(hex), original.parts.map(hex), `${what}: the snapshot of record ${seq} changed`);
  }
}

async function openAndRead(directory: string, range: ReadOptions, options: OpenLevelLogOptions): Promise<Finding> {
  try {
    await using log = await openLevelLog(directory, options);
    const { seq: lastSeq, chain } = log.head();
    return { lastSeq, chain, records: await collect(log.read(range)), snapshots: await collect(log.snapshots()) };
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

/** Runs a check; a failure says what was mutated, and so does the lack of an answer. */
async function judged<T>(mutation: Mutation, opener: string, action: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${HANG_MS / 1_000} s`)), HANG_MS);
  });
  try {
    return await Promise.race([action(), hang]);
  } catch (cause) {
    throw new Error(`${mutation.description}, ${opener}: expected a refusal or the right state, got ${cause}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** An open store whose snapshots are mutated under its hands. */
class SnapshotBench implements AsyncDisposable {
  readonly #directory: string;
  readonly #log: SnapshotLog;

  private constructor(directory: string, log: SnapshotLog) {
    this.#directory = directory;
    this.#log = log;
  }

  static async open(directory: string, original: Original): Promise<SnapshotBench> {
    writeFiles(directory, original.states[0] ?? new Map());
    return new SnapshotBench(directory, await openLevelLog(directory, { readOnly: true }));
  }

  async check(mutation: Mutation, { states, snapshots }: Original): Promise<void> {
    const path = join(this.#directory, mutation.name);
    const mutated = mutation.files.get(mutation.name);
    if (mutated === undefined) rmSync(path);
    else writeFileSync(path, mutated);
    const found = await judged(mutation, "an open log", () => collect(this.#log.snapshots()));
    checkSnapshots(found, snapshots, mutation.description);
    assert.equal(found.length, snapshots.length - 1, `${mutation.description}: expected the other snapshot alone`);
    writeFileSync(path, states[0]?.get(mutation.name) ?? new Uint8Array());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log.close();
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
