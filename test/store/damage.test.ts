import { cp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { fromHex } from "../../store/bytes.ts";
import { sealFrame } from "../../store/frame.ts";
import { isStoreError, openLevelLog, type StoreErrorCode } from "../../store/index.ts";
import { LevelDatabase } from "../../store/level-database.ts";
import { appendRecords, contents, copyOf, databaseFiles, freshLog, recordBody, refusal, seededRandom } from "./helpers.ts";

const DAMAGE: readonly StoreErrorCode[] = [
  "STORE_BAD_MARKER",
  "STORE_BAD_HEAD",
  "STORE_BAD_DATABASE",
  "STORE_BAD_FRAME",
  "STORE_BAD_RECORD",
  "STORE_BROKEN_CHAIN",
  "STORE_SEQUENCE_GAP",
  "STORE_MISSING_TAIL",
  "STORE_TORN_COMMIT",
  "STORE_STALE_HEAD",
  "STORE_SWAPPED",
  "STORE_FORKED",
];

/** A closed log with records in tables and in the write-ahead log. */
async function filledLog(): Promise<string> {
  const directory = await freshLog();
  for (const count of [60, 40, 30]) {
    const log = await openLevelLog(directory);
    await appendRecords(log, count);
    await log.close();
  }
  return directory;
}

describe("a store that lost something is refused with a code that says what", () => {
  test.each([
    ["HEARTWOOD", "STORE_BAD_MARKER"],
    ["HEAD", "STORE_BAD_HEAD"],
    ["log/CURRENT", "STORE_BAD_DATABASE"],
    ["log", "STORE_FOREIGN", "STORE_BAD_DATABASE"],
  ])("%s deleted", async (name, ...codes) => {
    const directory = await filledLog();
    await rm(join(directory, name), { recursive: true });
    expect(codes).toContain((await refusal(openLevelLog(directory))).code);
    // It stays refused: nothing was made anew.
    expect(codes).toContain((await refusal(openLevelLog(directory))).code);
    await expect(readFile(join(directory, name))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("the write-ahead log or a table deleted", async () => {
    const directory = await filledLog();
    for (const file of await databaseFiles(directory, ".log", ".ldb", ".sst")) {
      const copy = await copyOf(directory, "copy");
      await rm(join(copy, "log", basename(file)));
      expect(DAMAGE).toContain((await refusal(openLevelLog(copy))).code);
    }
  });

  test("the write-ahead log cut by one commit: a missing tail", async () => {
    const directory = await filledLog();
    const [log = ""] = await databaseFiles(directory, ".log");
    await truncate(log, (await readFile(log)).length - 1);
    const error = await refusal(openLevelLog(directory));
    expect(error).toMatchObject({ code: "STORE_MISSING_TAIL", retryable: false, place: { seq: 129n } });
    expect(error.message).toMatch(/130.*129/);
  });

  test("a missing tail is told at once, before what is left is read", async () => {
    const directory = await filledLog();
    const [log = ""] = await databaseFiles(directory, ".log");
    await truncate(log, (await readFile(log)).length - 1);
    const read: bigint[] = [];
    const error = await refusal(openLevelLog(directory, { onProgress: ({ seq }) => read.push(seq) }));
    expect([error.code, read]).toEqual(["STORE_MISSING_TAIL", []]);
  });

  test("a commit of which only the beginning is there: torn", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 3);
    await log.close();
    const { logId, epoch, commit, chain } = log.head();
    const body = recordBody(4n, epoch);
    const { bytes } = sealFrame(fromHex(chain), { commit: commit + 1n, endsCommit: false, body });
    const database = await LevelDatabase.open(join(directory, "log"), logId);
    await database.writeFrames([{ seq: 4n, bytes }]);
    await database.close();
    const error = await refusal(openLevelLog(directory));
    expect(error).toMatchObject({ code: "STORE_TORN_COMMIT", place: { file: "log", seq: 4n, commit: 4n } });
  });

  test("an older copy of HEAD: stale", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 5);
    const older = await readFile(join(directory, "HEAD"));
    await appendRecords(log, 3);
    await log.close();
    await writeFile(join(directory, "HEAD"), older);
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_STALE_HEAD", place: { file: "HEAD" } });
  });

  test("an older HEAD of a log that was closed in order: stale, even by a single commit", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 2);
    await log.close();
    const older = await readFile(join(directory, "HEAD"));
    const again = await openLevelLog(directory);
    await appendRecords(again, 1);
    await again.close();
    await writeFile(join(directory, "HEAD"), older);
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_STALE_HEAD" });
  });

  test("a HEAD of an earlier opening: stale, even if the log leads by no more than a crash leaves", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 2);
    const unclean = await readFile(join(directory, "HEAD"));
    await log.close();
    const again = await openLevelLog(directory);
    await appendRecords(again, 1);
    await again.close();
    await writeFile(join(directory, "HEAD"), unclean);
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_STALE_HEAD" });
  });

  test("an older copy of the database: a missing tail", async () => {
    const directory = await filledLog();
    const older = await copyOf(directory, "older");
    const log = await openLevelLog(directory);
    await appendRecords(log, 1);
    await log.close();
    await rm(join(directory, "log"), { recursive: true });
    await cp(join(older, "log"), join(directory, "log"), { recursive: true });
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_MISSING_TAIL" });
  });

  test("the database, HEAD or marker of another log: swapped", async () => {
    const directory = await filledLog();
    const other = await filledLog();
    for (const name of ["log", "HEAD", "HEARTWOOD"]) {
      const copy = await copyOf(directory, "copy");
      await rm(join(copy, name), { recursive: true });
      await cp(join(other, name), join(copy, name), { recursive: true });
      expect(await refusal(openLevelLog(copy)), name).toMatchObject({ code: "STORE_SWAPPED" });
    }
  });

  test("two copies that went on apart, mixed: forked", async () => {
    const directory = await filledLog();
    const other = await copyOf(directory, "other");
    // One opening more makes another epoch, and so other records from here on.
    await (await openLevelLog(directory)).close();
    for (const path of [directory, other]) {
      const log = await openLevelLog(path);
      await appendRecords(log, 3);
      await log.close();
    }
    await rm(join(directory, "log"), { recursive: true });
    await rename(join(other, "log"), join(directory, "log"));
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_FORKED", place: { seq: 133n } });
  });
});

test("one damaged slot of HEAD is borne, two are refused", async () => {
  const directory = await filledLog();
  const head = await readFile(join(directory, "HEAD"));
  const before = await contentsOf(directory);
  for (const slot of [0, 1]) {
    await writeFile(join(directory, "HEAD"), withFlippedBit(head, (slot * 4096 + 60) * 8));
    const copy = await copyOf(directory, "copy");
    expect(await contentsOf(copy)).toEqual(before);
  }
  await writeFile(join(directory, "HEAD"), withFlippedBit(withFlippedBit(head, 60 * 8), (4096 + 60) * 8));
  expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_BAD_HEAD" });
});

test("a flipped bit, a cut or a zeroed block in any file ends in a typed refusal or in the right state", async () => {
  const directory = await filledLog();
  const before = await contentsOf(await copyOf(directory, "untouched"));
  const random = seededRandom(7);
  const files = [
    ...["HEAD", "HEARTWOOD"].map((name) => join(directory, name)),
    ...(await databaseFiles(directory, ".log", ".ldb", "MANIFEST", "CURRENT")),
  ];
  const outcomes = new Map<string, number>();
  for (const file of files) {
    const content = await readFile(file);
    for (let round = 0; round < 12; round++) {
      const mutated = mutate(content, round % 3, random);
      const copy = await copyOf(directory, "copy");
      await writeFile(file.replace(directory, copy), mutated);
      const outcome = await contentsOf(copy).catch((error: unknown) => {
        if (isStoreError(error) && DAMAGE.includes(error.code)) return error.code;
        throw error;
      });
      if (typeof outcome !== "string") expect(outcome, `${basename(file)}, round ${round}`).toEqual(before);
      const key = typeof outcome === "string" ? outcome : "right state";
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    }
  }
  expect(outcomes.size, [...outcomes].join("; ")).toBeGreaterThan(4);
});

async function contentsOf(directory: string): Promise<string[]> {
  await using log = await openLevelLog(directory);
  return await contents(log);
}

function mutate(content: Uint8Array, kind: number, random: (bound: number) => number): Uint8Array {
  const at = random(content.length);
  if (kind === 0) return withFlippedBit(content, at * 8 + random(8));
  if (kind === 1) return content.subarray(0, at);
  return Uint8Array.from(content).fill(0, at, at + 512);
}

function withFlippedBit(content: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(content);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}
