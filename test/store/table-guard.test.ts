import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import { crc32c } from "../../store/crc32c.ts";
import { openLevelLog } from "../../store/index.ts";
import { decompressSnappy } from "../../store/snappy.ts";
import { TableGuard } from "../../store/table-guard.ts";
import { contents, databaseFiles, freshLog, refusal, startOpener } from "./helpers.ts";

const FIRST_KEY = new Uint8Array([0x65]);
const FOOTER_BYTES = 48;
const MAGIC_BYTES = 8;

/** A closed log whose largest table holds that many records of such events. */
async function logWithTable(count: number, event: (at: number) => Uint8Array): Promise<{ directory: string; table: string }> {
  const directory = await freshLog();
  const log = await openLevelLog(directory);
  const { epoch } = log.head();
  const bodies = Array.from({ length: count }, (_, at) =>
    Record.encode(Record.fromPartial({ seq: BigInt(at + 1), epoch, event: event(at) })).finish(),
  );
  await log.append({ epoch, expectedSeq: 1n, bodies });
  await log.close();
  await (await openLevelLog(directory)).close(); // LevelDB puts its write-ahead log into a table
  const tables = await databaseFiles(directory, ".ldb");
  const sizes = await Promise.all(tables.map(async (path) => ({ path, size: (await readFile(path)).length })));
  const [largest] = sizes.sort((a, b) => b.size - a.size);
  if (largest === undefined) throw new Error("expected a table, got none");
  return { directory, table: largest.path };
}

/** Bytes that do not compress, the same on every run. */
function noise(at: number, length: number): Uint8Array {
  let state = at + 1;
  return new Uint8Array(length).map(() => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return state >>> 24;
  });
}

async function check(directory: string): Promise<void> {
  const { guard } = await TableGuard.around(join(directory, "log"), async () => undefined);
  await guard.check(FIRST_KEY);
}

test("a damaged table at which LevelDB would end the process is refused", async () => {
  const { directory, table } = await logWithTable(20, (at) => noise(at, 40));
  const content = await readFile(table);
  // The first entry says: 0 bytes shared, a key of 9 + 8 bytes. A shorter key is what LevelDB asserts against.
  expect([...content.subarray(0, 2)]).toEqual([0, 17]);
  content[1] = 4;
  await writeFile(table, content);
  expect(await startOpener("try", directory).next()).toMatchObject({ code: "STORE_BAD_DATABASE" });
  expect(await refusal(openLevelLog(directory))).toMatchObject({
    code: "STORE_BAD_DATABASE",
    place: { file: table.slice(directory.length + 1) },
  });
});

test.each([
  ["not compressed", 30, (at: number) => noise(at, 60)],
  ["compressed, its index too", 600, (at: number) => new Uint8Array(400).fill(at)],
])("no changed byte of a table that is %s is passed, but for those that mean nothing", async (_, count, event) => {
  const { directory, table } = await logWithTable(count, event);
  await check(directory);
  const content = await readFile(table);
  const passed: number[] = [];
  const step = Math.ceil(content.length / 150);
  for (let at = 0; at < content.length; at += at < content.length - 200 ? step : 1) {
    const flipped = Uint8Array.from(content);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    await writeFile(table, flipped);
    const refused = await check(directory).then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === "STORE_BAD_DATABASE",
    );
    if (!refused) passed.push(at);
  }
  await writeFile(table, content);
  await using log = await openLevelLog(directory);
  expect(await contents(log)).toHaveLength(count);
  // The padding of the footer; nothing else.
  const padding = passed.filter((at) => at >= content.length - FOOTER_BYTES && at < content.length - MAGIC_BYTES);
  expect(passed).toEqual(padding);
});

test("a table that is cut anywhere is refused", async () => {
  const { directory, table } = await logWithTable(30, (at) => noise(at, 60));
  const content = await readFile(table);
  for (let length = 0; length < content.length; length += 97) {
    await writeFile(table, content.subarray(0, length));
    expect((await refusal(check(directory))).code).toBe("STORE_BAD_DATABASE");
  }
});

test("a table is checked when a reading can touch it, not before", async () => {
  const { directory, table } = await logWithTable(200, (at) => noise(at, 40));
  const content = await readFile(table);
  content[1] = 4;
  await writeFile(table, content);
  const { guard } = await TableGuard.around(join(directory, "log"), async () => undefined);
  await guard.check(new Uint8Array([0x65, 0, 0, 0, 0, 0, 0, 0, 201]));
  expect((await refusal(guard.check(FIRST_KEY))).code).toBe("STORE_BAD_DATABASE");
  expect((await refusal(guard.check(FIRST_KEY))).code).toBe("STORE_BAD_DATABASE");
});

test("CRC-32C and Snappy answer as their specifications say", () => {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
  expect(crc32c(bytes("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  // A literal of "xyz", then a copy of 9 bytes from 3 back.
  expect(decompressSnappy(new Uint8Array([12, 2 << 2, ...bytes("xyz"), ((9 - 4) << 2) | 1, 3]))).toEqual(bytes("xyzxyzxyzxyz"));
  expect(decompressSnappy(new Uint8Array([4, 2 << 2, ...bytes("xyz")]))).toBeUndefined();
  expect(decompressSnappy(new Uint8Array([4, 1, 9]))).toBeUndefined();
  expect(decompressSnappy(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0]))).toBeUndefined();
});
