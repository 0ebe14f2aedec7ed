import { rename } from "node:fs/promises";
import { expect, test } from "vitest";
import { LiveSource } from "../../engine/node/live-source.ts";
import { offerLog } from "../../engine/node/offer-log.ts";
import { createLevelLog, openLevelLog, StoreError } from "../../store/index.ts";
import { openLive } from "../../store/open-to-read.ts";
import { appendRecords, freshLog } from "../store/helpers.ts";

/** Opens a log and appends records, as a wallet that others can look at. */
async function openOffered(directory: string, records: number): Promise<AsyncDisposable> {
  const log = await openLevelLog(directory);
  await appendRecords(log, records);
  const service = await offerLog(directory, log, () => undefined);
  return {
    async [Symbol.asyncDispose]() {
      await service?.[Symbol.asyncDispose]();
      await log.close();
    },
  };
}

test("a log that another one took the place of is not read on in that one", async () => {
  const directory = await freshLog();
  const owner = await openOffered(directory, 2);
  const live = await openLive(directory, {});
  if (live === undefined) throw new Error("expected a live owner, got none");
  await using source = new LiveSource(directory, live);
  const before = source.log().head();
  await owner[Symbol.asyncDispose]();
  await rename(directory, `${directory}-moved`);
  await createLevelLog(directory);
  await using _other = await openOffered(directory, 5);
  // Long enough for one look.
  await expect(source.grown(AbortSignal.timeout(900))).rejects.toThrow();
  expect(source.log().head()).toEqual(before);
  const read = async () => {
    for await (const { seq } of source.log().read({ from: 1n, to: 1n })) expect(seq).toBeUndefined();
  };
  await expect(read()).rejects.toBeInstanceOf(StoreError);
});
