import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLevelLog, verifyStore } from "../../store/index.ts";
import { appendRecords, freshLog, refusal } from "./helpers.ts";

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

test("a whole store verifies to its end, changing no byte that counts", async () => {
  const directory = await freshLog();
  await using log = await openLevelLog(directory);
  await appendRecords(log, 5);
  await log.close();
  const head = await readFile(join(directory, "HEAD"));
  const progress: bigint[] = [];
  const found = await verifyStore(directory, { onProgress: ({ seq }) => void progress.push(seq) });
  expect(found).toEqual({ head: log.head(), borne: [] });
  expect(progress.at(-1)).toBe(5n);
  expect(await readFile(join(directory, "HEAD"))).toEqual(head);
  await expect(verifyStore(directory, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

test("a damaged slot of HEAD and snapshots that do not fit are named and borne; two damaged slots are refused", async () => {
  const [directory, other] = [await freshLog(), await freshLog()];
  for (const place of [directory, other]) {
    await using log = await openLevelLog(place);
    await appendRecords(log, 5);
    for (const seq of [3n, 5n]) await log.saveSnapshot({ seq, parts: [new Uint8Array([Number(seq)])] });
  }
  expect((await verifyStore(directory)).borne).toEqual([]);
  const name = (seq: number) => join("snapshots", String(seq).padStart(20, "0"));
  await flip(join(directory, name(3)), 80);
  await rm(join(directory, name(5)));
  await cp(join(other, name(5)), join(directory, name(5)));
  await flip(join(directory, "HEAD"), 100);
  expect((await verifyStore(directory)).borne.map(({ code, place }) => [code, place])).toEqual([
    ["HEAD_SLOT_DAMAGED", { file: "HEAD" }],
    ["SNAPSHOT_UNUSABLE", { file: "snapshots", seq: 3n }],
    ["SNAPSHOT_UNUSABLE", { file: "snapshots", seq: 5n }],
  ]);
  await flip(join(directory, "HEAD"), 5_000);
  const { code, place } = await refusal(verifyStore(directory));
  expect([code, place]).toEqual(["STORE_BAD_HEAD", { file: "HEAD" }]);
});
