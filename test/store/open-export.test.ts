import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importLog, openExport, openLevelLog, type StoredRecord } from "../../store/index.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "heartwood-export-"));
});

afterAll(() => rm(directory, { recursive: true }));

async function recordsOf(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

test("an export that is read where it lies has the records of the log that is made of it", async () => {
  await importLog(GOLDEN, join(directory, "store"));
  await using log = await openLevelLog(join(directory, "store"), { readOnly: true });
  await using file = await openExport(GOLDEN);
  const head = file.head();
  expect({ ...head, epoch: log.head().epoch }).toEqual(log.head());
  const expected = await recordsOf(log.read());
  expect(await recordsOf(file.read())).toEqual(expected);
  for (const seq of [1n, head.seq / 2n, head.seq]) expect(await file.get(seq)).toEqual(expected[Number(seq) - 1]);
  expect(await recordsOf(file.read({ from: 10n, to: 12n }))).toEqual(expected.slice(9, 12));
  await expect(file.append({ epoch: head.epoch, expectedSeq: head.seq + 1n, bodies: [] })).rejects.toMatchObject({
    code: "STORE_READ_ONLY",
  });
});

test("a damaged, cut or absent export is not opened, and one that is cut later is noticed when it is read", async () => {
  const text = await readFile(GOLDEN, "latin1");
  const path = join(directory, "damaged.export");
  await writeFile(path, text.slice(0, text.length / 2), "latin1");
  await expect(openExport(path)).rejects.toMatchObject({ code: "STORE_BAD_EXPORT" });
  await expect(openExport(join(directory, "absent"))).rejects.toMatchObject({ code: "STORE_NOT_FOUND" });
  await writeFile(path, text, "latin1");
  await using file = await openExport(path);
  await writeFile(path, text.slice(0, text.length / 2), "latin1");
  await expect(file.get(file.head().seq)).rejects.toMatchObject({ code: "STORE_BAD_EXPORT" });
});
