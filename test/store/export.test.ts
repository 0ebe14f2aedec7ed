import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../store/bytes.ts";
import { firstLink } from "../../store/chain.ts";
import { ExportDecoder, ExportEncoder } from "../../store/export-format.ts";
import { sealFrame } from "../../store/frame.ts";
import {
  createMemoryLog,
  exportLines,
  exportLog,
  importLog,
  isStoreError,
  type LogHead,
  openLevelLog,
} from "../../store/index.ts";
import { appendRecords, contents, freshDirectory, freshLog, recordBody, refusal } from "./helpers.ts";

/** A log with some records of two epochs, and its export beside it. */
async function exported(count = 8): Promise<{ directory: string; file: string; head: LogHead }> {
  const directory = await freshLog();
  for (const part of [count - 1, 1]) {
    await using log = await openLevelLog(directory);
    await appendRecords(log, part);
  }
  const file = join(dirname(directory), "backup");
  return { directory, file, head: await exportLog(directory, file) };
}

const readAll = async (directory: string) => {
  await using log = await openLevelLog(directory, { readOnly: true });
  return { head: log.head(), records: await contents(log) };
};

test("an imported log has the same frames, the same end and the same id, and goes on from there", async () => {
  const { directory, file, head } = await exported();
  const copy = join(dirname(directory), "copy");
  expect(await importLog(file, copy)).toEqual(head);
  const original = await readAll(directory);
  expect(await readAll(copy)).toEqual(original);
  expect(original.head).toEqual(head);
  const again = join(dirname(directory), "again");
  await exportLog(copy, again);
  expect(await readFile(again, "utf8")).toBe(await readFile(file, "utf8"));

  await using log = await openLevelLog(copy);
  expect(log.head().epoch).toBe(head.epoch + 1n);
  await appendRecords(log, 1);
});

test("an export is for its owner alone, and so is what is made of it", async () => {
  const { directory, file } = await exported();
  const copy = join(dirname(directory), "copy");
  await importLog(file, copy);
  const mode = async (path: string) => (await stat(path)).mode & 0o777;
  expect(await mode(file)).toBe(0o600);
  expect(await mode(copy)).toBe(0o700);
  expect(await Promise.all(["HEAD", "HEARTWOOD"].map((name) => mode(join(copy, name))))).toEqual([0o600, 0o600]);
});

test("an empty log and one in memory move as well", async () => {
  const parent = await freshDirectory();
  const empty = await freshLog();
  await exportLog(empty, join(parent, "empty"));
  expect((await importLog(join(parent, "empty"), join(parent, "copy of empty"))).seq).toBe(0n);

  const log = await createMemoryLog({ logId: "07".repeat(32) }).open();
  await appendRecords(log, 5);
  const lines: string[] = [];
  for await (const line of exportLines(log)) lines.push(line);
  await writeFile(join(parent, "memory"), lines.join(""));
  expect(await importLog(join(parent, "memory"), join(parent, "copy"))).toEqual(log.head());
  expect((await readAll(join(parent, "copy"))).records).toEqual(await contents(log));
});

test("an export of more than a batch moves, with its progress told", async () => {
  const directory = await freshLog();
  await using writer = await openLevelLog(directory);
  const { epoch } = writer.head();
  for (let from = 1n; from <= 4_000n; from += 1_000n) {
    const bodies = Array.from({ length: 1_000 }, (_, i) => recordBody(from + BigInt(i), epoch));
    await writer.append({ epoch, expectedSeq: from, bodies });
  }
  await writer.close();
  const [file, copy] = [`${directory}.export`, `${directory}.copy`];
  const head = await exportLog(directory, file);
  const progress: bigint[] = [];
  expect(await importLog(file, copy, { onProgress: ({ seq }) => void progress.push(seq) })).toEqual(head);
  expect(progress.at(-1)).toBe(4_000n);
  expect((await stat(file)).size).toBeGreaterThan(1024 * 1024);
  expect((await readAll(copy)).records).toEqual((await readAll(directory)).records);
});

test("a footer that is whole but speaks of another end is refused", async () => {
  const log = await createMemoryLog().open();
  await appendRecords(log, 3);
  const { logId, commit, seq, epoch } = log.head();
  const others = [{ commit: commit - 1n }, { seq: seq + 1n }, { chain: "00".repeat(16) }, { epoch: epoch - 1n }];
  for (const other of [{}, ...others]) {
    const encoder = new ExportEncoder();
    const lines: string[] = [];
    for await (const line of exportLines(log)) lines.push(line);
    const text = [encoder.header(logId), ...lines.slice(1, -1).map((line) => encoder.frame(Buffer.from(line, "base64")))];
    const footer = encoder.footer({ ...log.head(), ...other });
    expect(codeFor(Buffer.from([...text, footer].join("")))).toBe(
      Object.keys(other).length === 0 ? undefined : "STORE_BAD_EXPORT",
    );
  }
});

/** The code with which the text of an export is refused, or undefined. */
function codeFor(text: Buffer): string | undefined {
  const decoder = new ExportDecoder();
  try {
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf(0x0a, from);
      if (end < 0) return "cut line";
      decoder.line(text.subarray(from, end));
      from = end + 1;
    }
    decoder.end();
    return undefined;
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

test("an export that ends inside a commit is refused, although its footer says so", () => {
  const logId = "07".repeat(32);
  const encoder = new ExportEncoder();
  const { chain, bytes } = sealFrame(firstLink(fromHex(logId)), { commit: 1n, endsCommit: false, body: recordBody(1n, 1n) });
  const head = { logId, epoch: 1n, commit: 1n, seq: 1n, chain: toHex(chain) };
  const text = [encoder.header(logId), encoder.frame(bytes), encoder.footer(head)].join("");
  expect(codeFor(Buffer.from(text))).toBe("STORE_BAD_EXPORT");
});

test("an export with any byte changed, taken out or put in, cut anywhere, or with lines moved is refused", async () => {
  const { file } = await exported(3);
  const whole = await readFile(file);
  expect(codeFor(whole)).toBeUndefined();
  let refused = 0;
  const taken: string[] = [];
  const refuse = (text: Buffer): void => {
    if (text.equals(whole)) return;
    if (codeFor(text) === undefined) taken.push(text.toString());
    refused++;
  };
  for (let at = 0; at < whole.length; at++) {
    for (const bit of [0x01, 0x02, 0x20]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ bit;
      refuse(changed);
    }
    refuse(whole.subarray(0, at));
    refuse(Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]));
    refuse(Buffer.concat([whole.subarray(0, at), Buffer.from("A"), whole.subarray(at)]));
  }
  const lines = whole.toString().trimEnd().split("\n");
  for (let at = 1; at < lines.length; at++) {
    refuse(Buffer.from(`${lines.toSpliced(at, 1).join("\n")}\n`));
    refuse(
      Buffer.from(
        `${lines
          .with(at, lines[at - 1] ?? "")
          .with(at - 1, lines[at] ?? "")
          .join("\n")}\n`,
      ),
    );
  }
  refuse(Buffer.concat([whole, Buffer.from("\n")]));
  expect(taken).toEqual([]);
  expect(refused).toBeGreaterThan(5_000);
});

test("a refused import leaves nothing behind, and no store, file or directory is ever replaced", async () => {
  const { directory, file } = await exported();
  const parent = dirname(directory);
  const before = await readAll(directory);
  const text = await readFile(file, "utf8");
  await writeFile(join(parent, "cut"), text.slice(0, -200));
  const names = (await readdir(parent)).sort();

  expect((await refusal(importLog(join(parent, "cut"), join(parent, "new")))).code).toBe("STORE_BAD_EXPORT");
  expect((await refusal(importLog(join(parent, "none"), join(parent, "new")))).code).toBe("STORE_NOT_FOUND");
  expect((await refusal(importLog(file, directory))).code).toBe("STORE_EXISTS");
  expect((await refusal(importLog(file, parent))).code).toBe("STORE_FOREIGN");
  expect((await refusal(exportLog(directory, file))).code).toBe("STORE_EXISTS");
  expect((await refusal(exportLog(directory, join(parent, "no", "file")))).code).toBe("STORE_NOT_FOUND");
  expect((await refusal(exportLog(join(parent, "none"), join(parent, "new")))).code).toBe("STORE_NOT_FOUND");

  expect((await readdir(parent)).sort()).toEqual(names);
  expect(await readAll(directory)).toEqual(before);
  expect(await readFile(file, "utf8")).toBe(text);
});

test("an export waits for nobody: a directory that is open is refused with its holder", async () => {
  const { directory } = await exported();
  await using _log = await openLevelLog(directory);
  const { code, holder } = await refusal(exportLog(directory, `${directory}.export`));
  expect([code, holder?.pid]).toEqual(["STORE_LOCKED", process.pid]);
});

test("an export and an import that are given up end with the signal's reason and leave nothing", async () => {
  const { directory, file } = await exported();
  const parent = dirname(directory);
  const names = (await readdir(parent)).sort();
  for (const move of [exportLog, importLog]) {
    const [from, to] = [move === exportLog ? directory : file, join(parent, "new")];
    const giveUp = new AbortController();
    const onProgress = (): void => giveUp.abort(new Error("enough"));
    await expect(move(from, to, { signal: giveUp.signal, onProgress })).rejects.toThrow("enough");
  }
  expect((await readdir(parent)).sort()).toEqual(names);
});

test("an export of another format is refused by name", async () => {
  const { file } = await exported(1);
  const { crc32 } = await import("node:zlib");
  const text = "heartwood log export\nformat 2\nmore yes\n";
  await writeFile(file, `${text}crc32 ${crc32(text).toString(16).padStart(8, "0")}\n`);
  expect((await refusal(importLog(file, `${file}.store`))).code).toBe("STORE_UNKNOWN_FORMAT");
});
