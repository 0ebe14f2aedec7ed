import { expect, test } from "vitest";
import { toProgress } from "../../visualizer/history-feed.ts";

const PROGRESS = {
  head: 3n,
  checked: 2n,
  total: 9n,
  isLive: false,
  isAway: false,
  isMissing: false,
  isOver: true,
  differing: [],
  differingCount: 0,
};

function adviceFor(code: string): string | undefined {
  const error = new Error("why //user:word@host");
  const { failure } = toProgress({ ...PROGRESS, failure: { code, message: error.message, error } });
  expect(failure).toMatchObject({ code, message: "why //…@host" });
  return failure?.advice;
}

test("whoever reads why the log could not be read to its end reads what to do about it", () => {
  expect(toProgress({ ...PROGRESS, failure: null }).failure).toBeNull();
  expect(adviceFor("LOG_UNREADABLE")).toMatch(/newer Heartwood/);
  expect(adviceFor("STORE_OWNER_LOST")).toMatch(/process that had the wallet open is gone: run heartwood inspect again/);
  expect(adviceFor("STORE_CLOSED")).toMatch(/was closed: run heartwood inspect again/);
  expect(adviceFor("STORE_IO")).toMatch(/disk could not be read: run heartwood inspect again, on a copy/);
  expect(adviceFor("STORE_SWAPPED")).toMatch(/another log stands .*: run heartwood inspect again to look at that one/);
  for (const code of ["STORE_BAD_FRAME", "STORE_BROKEN_CHAIN", "STORE_SEQUENCE_GAP"]) {
    expect(adviceFor(code)).toMatch(/heartwood log verify DIR .* heartwood log salvage DIR NEWDIR/);
  }
  expect(adviceFor("INTERNAL")).toMatch(/report it/);
});
