import { expect, test } from "vitest";
import { tickTime } from "../../visualizer/page/format.ts";

const DAY_MS = 86_400_000;

test("a tick of an axis says as much of its time as the axis spans", () => {
  const atMs = new Date(2026, 10, 22, 10, 11, 12, 345).getTime();
  const texts = [0, DAY_MS - 1, DAY_MS, 89 * DAY_MS, 90 * DAY_MS].map((spanMs) => tickTime(atMs, spanMs));
  expect(texts).toEqual(["10:11:12", "10:11:12", "11-22 10:11", "11-22 10:11", "2026-11-22"]);
});
