import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Level } from "level";
import { describe, expect, test } from "vitest";
import { fromHex } from "../../store/bytes.ts";
import { sealFrame } from "../../store/frame.ts";
import { isStoreError, openLevelLog, type SalvageReport, salvageStore } from "../../store/index.ts";
import { decodeSealedText, encodeSealedText } from "../../store/sealed-text.ts";
import { readTable } from "../../store/table-file.ts";
import {
  appendRecords,
  contents,
  copyOf,
  databaseFiles,
  freshLog,
  recordBody,
  refusal,
  seededRandom,
  startSalvager,
} from "./helpers.ts";

/** A closed log of commits with one to three records, in tables and in the write-ahead log. */
async function filledLog(openings = [40, 30, 20]): Promise<{ directory: string; lines: string[]; ends: bigint[] }> {
  const directory = await freshLog();
  let lines: string[] = [];
  const ends: bigint[] = [];
  for (const commits of openings) {
    await using log = await openLevelLog(directory);
    for (let commit = 0; commit < commits; commit++) {
      const { epoch, seq } = log.head();
      const bodies = Array.from({ length: 1 + (commit % 3) }, (_, i) => recordBody(seq + 1n + BigInt(i), epoch));
      await log.append({ epoch, expectedSeq: seq + 1n, bodies });
      ends.push(log.head().seq);
    }
    lines = await contents(log);
  }
  return { directory, lines, ends };
}

/** Every file with its bytes, and every empty directory. */
async function everything(directory: string): Promise<[string, string][]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = entries.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(directory.length), entry.isFile() ? (await readFile(path)).toString("base64") : "directory"];
  });
  return (await Promise.all(found)).sort(([a], [b]) => (a < b ? -1 : 1));
}

const place = (directory: string) => join(dirname(directory), "salvaged");

/** Salvages, and checks what always holds: the old directory is untouched, the new one is a whole prefix of commits. */
async function salvaged(directory: string, lines: readonly string[], ends: readonly bigint[]): Promise<SalvageReport> {
  const before = await everything(directory);
  const to = place(directory);
  const report = await salvageStore(directory, to);
  expect(await everything(directory)).toEqual(before);
  expect((await readdir(dirname(directory))).filter((name) => name.startsWith("."))).toEqual([]);
  expect(ends).toContain(report.kept.seq);
  expect(report.damage.length).toBeGreaterThan(0);
  await using log = await openLevelLog(to);
  expect(log.head()).toMatchObject({ seq: report.kept.seq, commit: report.kept.commit, logId: report.kept.logId });
  expect(log.head().epoch).toBe(report.kept.epoch + 1n);
  expect(await contents(log)).toEqual(lines.slice(0, Number(report.kept.seq)));
  await appendRecords(log, 1);
  return report;
}

const codesOf = ({ damage }: SalvageReport) => damage.map(({ code }) => code);

describe("what is lost beside the records costs none of them", () => {
  test.each([
    ["HEARTWOOD", "STORE_BAD_MARKER"],
    ["HEAD", "STORE_BAD_HEAD"],
    ["log/CURRENT", "STORE_BAD_DATABASE"],
    ["log/MANIFEST", "STORE_BAD_DATABASE"],
  ])("%s deleted", async (name, code) => {
    const { directory, lines, ends } = await filledLog();
    const [path = join(directory, name)] = name === "log/MANIFEST" ? await databaseFiles(directory, "MANIFEST") : [];
    await rm(path);
    const report = await salvaged(directory, lines, ends);
    expect(codesOf(report)).toEqual([code]);
    expect(report).toMatchObject({ kept: { seq: BigInt(lines.length), epoch: 3n }, lost: undefined, stranded: [] });
  });

  test("marker and HEAD not readable any more", async () => {
    const { directory, lines, ends } = await filledLog([9]);
    for (const name of ["HEAD", "HEARTWOOD"]) {
      await rm(join(directory, name));
      await mkdir(join(directory, name));
    }
    expect(codesOf(await salvaged(directory, lines, ends)).sort()).toEqual(["STORE_BAD_HEAD", "STORE_BAD_MARKER"]);
  });

  test("marker and HEAD deleted: the database knows the log", async () => {
    const { directory, lines, ends } = await filledLog();
    for (const name of ["HEAD", "HEARTWOOD"]) await rm(join(directory, name));
    expect(await salvaged(directory, lines, ends)).toMatchObject({ kept: { seq: BigInt(lines.length) }, lost: undefined });
  });

  test("an older HEAD, and one of another log", async () => {
    const { directory, lines, ends } = await filledLog([20]);
    const older = await readFile(join(directory, "HEAD"));
    {
      await using log = await openLevelLog(directory);
      for (let i = 0; i < 3; i++) {
        await appendRecords(log, 1);
        ends.push(log.head().seq);
      }
      lines.splice(0, lines.length, ...(await contents(log)));
    }
    await writeFile(join(directory, "HEAD"), older);
    expect(codesOf(await salvaged(directory, lines, ends))).toEqual(["STORE_STALE_HEAD"]);
    await rm(place(directory), { recursive: true });
    const other = await filledLog([3]);
    await cp(join(other.directory, "HEAD"), join(directory, "HEAD"));
    expect(codesOf(await salvaged(directory, lines, ends))).toEqual(["STORE_SWAPPED"]);
  });
});

/** Changes the database of a closed log behind its back. */
async function change(directory: string, work: (level: Level<Uint8Array, Uint8Array>) => Promise<void>): Promise<void> {
  const level = new Level<Uint8Array, Uint8Array>(join(directory, "log"), { keyEncoding: "view", valueEncoding: "view" });
  await work(level);
  await level.close();
}

function keyOf(seq: bigint): Uint8Array {
  return Buffer.from(`65${seq.toString(16).padStart(16, "0")}`, "hex");
}

/** Flips a bit of the frame of a record. */
async function damage(directory: string, seq: bigint): Promise<void> {
  await change(directory, async (level) => {
    const bytes = Uint8Array.from((await level.get(keyOf(seq))) ?? []);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await level.put(keyOf(seq), bytes, { sync: true });
  });
}

describe("what is damaged in the log ends what is kept, at the end of a commit", () => {
  test("a flipped bit in the middle: all behind it is listed, nothing of it is kept", async () => {
    const { directory, lines, ends } = await filledLog();
    await damage(directory, 53n); // the second of the three records of its commit
    const report = await salvaged(directory, lines, ends);
    expect(report.damage).toEqual([
      { code: "STORE_BAD_FRAME", message: expect.stringContaining("CRC"), place: { file: "log", seq: 53n } },
    ]);
    const last = BigInt(lines.length);
    expect(report).toMatchObject({ kept: { seq: 51n, commit: 26n }, lost: { from: 52n, to: last } });
    expect(report.stranded.map(({ from, to }) => [from, to])).toEqual([
      [52n, 52n],
      [54n, last],
    ]);
    expect(report.stranded[0]?.kinds).toEqual([{ machine: "test", type: "type-52", records: 1 }]);
  });

  test("records missing in the middle", async () => {
    const { directory, lines, ends } = await filledLog();
    await change(directory, (level) =>
      level.batch(
        [60n, 61n].map((seq) => ({ type: "del", key: keyOf(seq) })),
        { sync: true },
      ),
    );
    const report = await salvaged(directory, lines, ends);
    expect(report).toMatchObject({ kept: { seq: 57n }, damage: [{ code: "STORE_SEQUENCE_GAP", place: { seq: 60n } }] });
    expect(report.stranded.map(({ from, to }) => [from, to])).toEqual([
      [58n, 59n],
      [62n, BigInt(lines.length)],
    ]);
  });

  test("the write-ahead log cut: the tail that HEAD knows of is lost", async () => {
    const { directory, lines, ends } = await filledLog();
    const [log = ""] = await databaseFiles(directory, ".log");
    await truncate(log, (await readFile(log)).length - 1);
    const report = await salvaged(directory, lines, ends);
    const last = BigInt(lines.length);
    expect(codesOf(report)).toEqual(["STORE_MISSING_TAIL"]);
    expect(report.kept.seq).toBe(ends.at(-2));
    expect(report).toMatchObject({ lost: { from: report.kept.seq + 1n, to: last }, stranded: [] });
  });

  test("a commit of which only the beginning is there", async () => {
    const { directory, lines, ends } = await filledLog([5]);
    const log = await openLevelLog(directory, { readOnly: true });
    await log.close();
    const { epoch, seq, commit, chain } = log.head();
    const body = recordBody(seq + 1n, epoch);
    const { bytes } = sealFrame(fromHex(chain), { commit: commit + 1n, endsCommit: false, body });
    await change(directory, (level) => level.put(keyOf(seq + 1n), bytes, { sync: true }));
    const report = await salvaged(directory, lines, ends);
    expect(codesOf(report)).toEqual(["STORE_TORN_COMMIT"]);
    expect(report).toMatchObject({ kept: { seq }, lost: { from: seq + 1n, to: seq + 1n }, stranded: [{ from: seq + 1n }] });
  });

  test("each file of the database deleted, or not readable any more", async () => {
    const { directory, lines, ends } = await filledLog();
    let kept = 0;
    for (const file of await databaseFiles(directory, ".log", ".ldb")) {
      for (const isLoop of [false, true]) {
        const copy = await copyOf(directory, "copy");
        const path = join(copy, "log", basename(file));
        await rm(path);
        if (isLoop) await symlink(path, path);
        try {
          const report = await salvaged(copy, lines, ends);
          expect(report.damage.some(({ place }) => place.file === `log/${basename(file)}`)).toBe(isLoop);
          kept++;
        } catch (error) {
          if (!isStoreError(error, "STORE_NOTHING_LEFT")) throw error;
        }
        await rm(place(directory), { recursive: true, force: true });
      }
    }
    expect(kept).toBeGreaterThan(1);
  });

  test("a flipped bit, a cut or a zeroed block anywhere: a whole prefix or a refusal, never anything else", async () => {
    const { directory, lines, ends } = await filledLog([15, 10]);
    const random = seededRandom(11);
    const outcomes = new Map<string, number>();
    const files = [
      join(directory, "HEAD"),
      join(directory, "HEARTWOOD"),
      ...(await databaseFiles(directory, ".log", ".ldb", "MANIFEST")),
    ];
    for (const file of files) {
      const content = await readFile(file);
      for (let round = 0; round < 6; round++) {
        const copy = await copyOf(directory, "copy");
        const at = random(content.length);
        const mutated = round % 3 === 1 ? content.subarray(0, at) : Uint8Array.from(content);
        if (round % 3 === 0) mutated[at] = (mutated[at] ?? 0) ^ (1 << random(8));
        if (round % 3 === 2) mutated.fill(0, at, at + 512);
        await writeFile(file.replace(directory, copy), mutated);
        const outcome = await salvaged(copy, lines, ends).then(
          ({ kept }) => (kept.seq === BigInt(lines.length) ? "all kept" : "a part kept"),
          (error: unknown) => {
            if (isStoreError(error, "STORE_UNDAMAGED") || isStoreError(error, "STORE_NOTHING_LEFT")) return error.code;
            throw error;
          },
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        await rm(place(directory), { recursive: true, force: true });
      }
    }
    expect([...outcomes.keys()].sort(), [...outcomes].join("; ")).toEqual(
      expect.arrayContaining(["STORE_UNDAMAGED", "a part kept", "all kept"]),
    );
  });
});

describe("a salvage is refused, and makes nothing", () => {
  test("of a whole store, of no store, over something, and into the damaged directory itself", async () => {
    const { directory } = await filledLog([5]);
    const [parent, to] = [dirname(directory), place(directory)];
    expect(await refusal(salvageStore(directory, to))).toMatchObject({ code: "STORE_UNDAMAGED" });
    expect(await refusal(salvageStore(join(parent, "none"), to))).toMatchObject({ code: "STORE_NOT_FOUND" });
    const stranger = join(parent, "stranger");
    await mkdir(join(stranger, "log"), { recursive: true });
    await writeFile(join(stranger, "log", "system.log"), "text");
    expect(await refusal(salvageStore(stranger, to))).toMatchObject({ code: "STORE_FOREIGN" });
    await rm(join(directory, "HEAD"));
    const before = await everything(parent);
    expect(await refusal(salvageStore(directory, directory))).toMatchObject({ code: "STORE_EXISTS" });
    expect(await refusal(salvageStore(directory, stranger))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(salvageStore(directory, join(directory, "new")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(salvageStore(directory, join(parent, "no", "parent")))).toMatchObject({ code: "STORE_NOT_FOUND" });
    expect(await everything(parent)).toEqual(before);
  });

  test("where not even the first commit is whole, or nothing says which log it was", async () => {
    const { directory } = await filledLog([5]);
    const first = await copyOf(directory, "first");
    await damage(first, 1n);
    expect(await refusal(salvageStore(first, place(directory)))).toMatchObject({ code: "STORE_NOTHING_LEFT" });
    const nameless = await copyOf(directory, "nameless");
    for (const name of ["HEAD", "HEARTWOOD"]) await rm(join(nameless, name));
    await change(nameless, (level) => level.del(Buffer.from("69", "hex"), { sync: true }));
    expect(await refusal(salvageStore(nameless, place(directory)))).toMatchObject({ code: "STORE_NOTHING_LEFT" });
    const empty = await copyOf(directory, "empty");
    await rm(join(empty, "log"), { recursive: true });
    expect(await refusal(salvageStore(empty, place(directory)))).toMatchObject({ code: "STORE_NOTHING_LEFT" });
    expect(existsSync(place(directory))).toBe(false);
  });

  test("of a store that somebody has open, who is unharmed; the file of a holder that is gone stays", async () => {
    const { directory, lines, ends } = await filledLog([5]);
    const log = await openLevelLog(directory);
    const owner = await readFile(join(directory, "OWNER"), "utf8");
    expect(await refusal(salvageStore(directory, place(directory)))).toMatchObject({ code: "STORE_LOCKED" });
    await appendRecords(log, 1);
    ends.push(log.head().seq);
    lines.splice(0, lines.length, ...(await contents(log)));
    await log.close();
    await rm(join(directory, "HEAD"));
    const members = decodeSealedText("heartwood owner 1", owner) ?? {};
    await writeFile(join(directory, "OWNER"), encodeSealedText("heartwood owner 1", { ...members, boot: "another" }));
    await salvaged(directory, lines, ends);
    expect(existsSync(join(directory, "OWNER"))).toBe(true);
  });

  test("when it is given up or cannot be concluded: with that reason", async () => {
    const { directory } = await filledLog([5]);
    await rm(join(directory, "HEAD"));
    const [parent, to] = [dirname(directory), place(directory)];
    const before = await everything(parent);
    for (const step of ["copying", "reading", "verifying"]) {
      const giveUp = new AbortController();
      const onProgress = (progress: { step: string }): void => {
        if (progress.step === step) giveUp.abort(new Error(`enough ${step}`));
      };
      await expect(salvageStore(directory, to, { signal: giveUp.signal, onProgress })).rejects.toThrow(`enough ${step}`);
    }
    const conclude = async (): Promise<void> => {
      throw new RangeError("no conclusion");
    };
    await expect(salvageStore(directory, to, { conclude })).rejects.toThrow(RangeError);
    expect(await everything(parent)).toEqual(before);
  });
});

test("a salvage is concluded before the new store is in its place", async () => {
  const { directory, lines } = await filledLog([5]);
  await rm(join(directory, "HEAD"));
  const to = place(directory);
  const report = await salvageStore(directory, to, {
    async conclude(log, { kept }) {
      expect(existsSync(to)).toBe(false);
      expect(log.head()).toEqual({ ...kept, epoch: kept.epoch + 1n });
      await appendRecords(log, 1);
    },
  });
  expect(report.kept.seq).toBe(BigInt(lines.length));
  await using log = await openLevelLog(to);
  expect(log.head().seq).toBe(report.kept.seq + 1n);
});

describe("a damaged table", () => {
  /** A closed log with records in one table, of which one byte of the first entry is not what was written. */
  async function logWithDamagedTable(): Promise<{ directory: string; lines: string[]; ends: bigint[]; file: string }> {
    const { directory, lines, ends } = await filledLog([60, 1]);
    const [table = ""] = await largestFirst(await databaseFiles(directory, ".ldb"));
    const content = await readFile(table);
    // LevelDB asserts that a key is not as short.
    content[1] = 4;
    await writeFile(table, content);
    return { directory, lines, ends, file: table.slice(directory.length + 1) };
  }

  async function largestFirst(paths: readonly string[]): Promise<string[]> {
    const sizes = await Promise.all(paths.map(async (path) => ({ path, size: (await readFile(path)).length })));
    return sizes.sort((a, b) => b.size - a.size).map(({ path }) => path);
  }

  test("at which opening refuses is one of which a salvage says so", async () => {
    const { directory, file } = await logWithDamagedTable();
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_BAD_DATABASE", place: { file } });
    const before = await everything(dirname(directory));
    // Its first block holds the first record.
    expect(await refusal(salvageStore(directory, place(directory)))).toMatchObject({ code: "STORE_NOTHING_LEFT" });
    expect(await everything(dirname(directory))).toEqual(before);
  });

  test("gives what its whole blocks hold, up to the damaged one", async () => {
    const { directory, lines, ends } = await filledLog([60, 1]);
    const [table = ""] = await largestFirst(await databaseFiles(directory, ".ldb"));
    const content = await readFile(table);
    const at = Math.floor(content.length / 2);
    content[at] = (content[at] ?? 0) ^ 1;
    await writeFile(table, content);
    const { damage: found, entries } = await readTable("1.ldb", content);
    expect(found?.code).toBe("STORE_BAD_DATABASE");
    const report = await salvaged(directory, lines, ends);
    expect(report.damage[0]).toMatchObject({ code: "STORE_BAD_DATABASE", place: { file: table.slice(directory.length + 1) } });
    expect(report.kept.seq).toBeGreaterThan(10n);
    expect(report.kept.seq).toBeLessThan(BigInt(lines.length));
    expect(entries.length).toBeGreaterThan(Number(report.kept.seq));
    // What stands behind the damaged block is listed.
    expect(report.stranded.at(-1)?.to).toBe(BigInt(lines.length));
  });

  test("of which only the padding is not what was written is none", async () => {
    const { directory } = await filledLog([30, 1]);
    const [table = ""] = await largestFirst(await databaseFiles(directory, ".ldb"));
    const content = await readFile(table);
    content[content.length - 10] = 1;
    await writeFile(table, content);
    expect(await refusal(salvageStore(directory, place(directory)))).toMatchObject({ code: "STORE_UNDAMAGED" });
    await (await openLevelLog(directory)).close();
  });
});

test("no mutation of a database ends the process of a salvage, and what opening refuses is never called undamaged", async () => {
  const { directory } = await filledLog([20, 12]);
  const scratch = join(dirname(directory), "scratch");
  await mkdir(scratch);
  const lines = await startSalvager(directory, scratch, 5, 30);
  // Two lines for each, and its end without a signal.
  expect(lines.length, `ended at ${JSON.stringify(lines.at(-1))}`).toBe(60);
  const outcomes = lines.filter(({ salvage }) => salvage !== undefined);
  expect(outcomes.filter(({ salvage, opening }) => salvage === "STORE_UNDAMAGED" && opening !== "ok")).toEqual([]);
  expect(new Set(outcomes.map(({ salvage }) => salvage))).toContain("ok");
  expect(await readdir(scratch)).toEqual([]);
});
