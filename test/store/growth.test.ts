import { expect, test } from "vitest";
import { Growth } from "../../store/growth.ts";

const MINUTE = 60_000;

test("a short time is told by the minute, quiet minutes too", () => {
  const growth = new Growth(4);
  growth.add(5 * MINUTE + 1, 10);
  growth.add(5 * MINUTE + 2, 20);
  growth.add(8 * MINUTE - 1, 5);
  expect(growth.periodMs).toBe(MINUTE);
  expect(growth.periods()).toEqual([
    { fromMs: 5 * MINUTE, records: 2, bytes: 30 },
    { fromMs: 6 * MINUTE, records: 0, bytes: 0 },
    { fromMs: 7 * MINUTE, records: 1, bytes: 5 },
  ]);
});

test("whatever the clock said, no record is left out and the periods stay few", () => {
  const times = [0, 1, MINUTE, 1e6, 1e9, 1.7e12, -1e6, -1e13, 4e15, 9.2e18, -9.2e18];
  const growth = new Growth(24);
  for (const [i, atMs] of times.entries()) {
    growth.add(atMs, 100);
    const periods = growth.periods();
    expect(periods.length).toBeLessThanOrEqual(24);
    expect(periods.reduce((sum, { records }) => sum + records, 0)).toBe(i + 1);
    expect(periods.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(100 * (i + 1));
  }
});

test("no record, no period", () => {
  expect(new Growth(24).periods()).toEqual([]);
});
