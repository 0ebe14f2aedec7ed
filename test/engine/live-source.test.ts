import { rename } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { History } from "../../engine/history.ts";
import type { HistorySource } from "../../engine/history-types.ts";
import { LiveSource } from "../../engine/node/live-source.ts";
import { offerLog } from "../../engine/node/offer-log.ts";
import { createLevelLog, createMemoryLog, openLevelLog, type ReadOptions, StoreError } from "../../store/index.ts";
import { openLive } from "../../store/open-to-read.ts";
import { appendRecords, freshLog } from "../store/helpers.ts";
import { Talkative } from "../visualizer/talkative.ts";

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

/** A log of a directory that somebody has open, as a page follows it. */
async function followed(records: number) {
  const directory = await freshLog();
  const owner = await openOffered(directory, records);
  const live = await openLive(directory, {});
  if (live === undefined) throw new Error("expected a live owner, got none");
  const source = new LiveSource(directory, live, 20);
  onTestFinished(() => source[Symbol.asyncDispose]());
  return { directory, owner, source };
}

const grown = (source: LiveSource) => source.grown(AbortSignal.timeout(10_000));
const expectQuiet = (source: LiveSource) => expect(source.grown(AbortSignal.timeout(300))).rejects.toThrow("aborted");

test.each([
  ["more records", 5, true],
  ["fewer records", 1, true],
  ["nobody who has it open", 5, false],
])(
  "a log that another one with %s took the place of is not read on in that one, and that is told",
  async (_, records, isOpen) => {
    const { directory, owner, source } = await followed(2);
    await owner[Symbol.asyncDispose]();
    if (!isOpen) expect([await grown(source), source.isAway]).toEqual([true, true]);
    const before = source.log().head();
    await rename(directory, `${directory}-moved`);
    await createLevelLog(directory);
    const other = await openOffered(directory, records);
    onTestFinished(() => other[Symbol.asyncDispose]());
    if (!isOpen) await other[Symbol.asyncDispose]();
    await expect(grown(source)).rejects.toMatchObject({ code: "STORE_SWAPPED" });
    expect(source.log().head()).toEqual(before);
    const read = async () => {
      for await (const { seq } of source.log().read({ from: 1n, to: 1n })) expect(seq).toBeUndefined();
    };
    await expect(read()).rejects.toBeInstanceOf(StoreError);
  },
);

test("what was written while the directory was open for a moment only is seen, once", async () => {
  const { directory, owner, source } = await followed(2);
  await owner[Symbol.asyncDispose]();
  expect([await grown(source), source.isAway]).toEqual([true, true]);
  for (const end of [5n, 6n]) {
    const log = await openLevelLog(directory);
    await appendRecords(log, Number(end - log.head().seq));
    await log.close();
    expect(await grown(source)).toBe(true);
    expect([source.log().head().seq, source.isAway]).toEqual([end, true]);
  }
  await expectQuiet(source);
});

test.each(["that somebody has open", "that nobody has open"])(
  "a directory %s and that is taken away is said not to be there, once, and followed again when it is back",
  async (which) => {
    const { directory, owner, source } = await followed(2);
    const isOpen = which === "that somebody has open";
    if (!isOpen) {
      await owner[Symbol.asyncDispose]();
      expect([await grown(source), source.isAway]).toEqual([true, true]);
    }
    await rename(directory, `${directory}-moved`);
    expect([await grown(source), source.isMissing]).toEqual([true, true]);
    await expectQuiet(source);
    await rename(`${directory}-moved`, directory);
    expect([await grown(source), source.isMissing, source.isAway]).toEqual([true, false, !isOpen]);
    if (isOpen) await owner[Symbol.asyncDispose]();
    const log = await openLevelLog(directory);
    await appendRecords(log, 1);
    await log.close();
    expect([await grown(source), source.log().head().seq]).toEqual([true, 3n]);
  },
);

test("taking steps again ends at damage, and says so, also of a log that may grow", async () => {
  const log = await createMemoryLog().open();
  await new Talkative(log).receive(3);
  let readings = 0;
  async function* read(options?: ReadOptions) {
    if (readings++ > 0) throw new StoreError("STORE_SWAPPED", "expected one log, got another");
    yield* log.read(options);
  }
  const source: HistorySource = {
    log: () => ({ head: () => log.head(), read }),
    isLive: true,
    isShared: false,
    grown: (signal) => delay(10_000, true, { signal }),
    [Symbol.asyncDispose]: () => log.close(),
  };
  await using history = History.of(source);
  await history.over();
  expect(history.progress).toMatchObject({ head: log.head().seq, isOver: true, failure: { code: "STORE_SWAPPED" } });
  expect(readings).toBe(2);
});
