import { expect, test } from "vitest";
import { isDue, LookOrder } from "../../engine/look-order.ts";
import { RereadPause } from "../../engine/reread-pause.ts";
import type { QuarantineEntry } from "../../engine/wallet-rows.ts";

const [MINUTE_MS, DAY_MS] = [60_000, 86_400_000];

function held(key: number, nextTryAtMs: number, permanent = false): QuarantineEntry {
  return { key: `${key}`, nextTryAtMs, permanent } as QuarantineEntry;
}

test("a look is at 1,000 items at most, the longest waiting first, and each of those that are early has its turn", () => {
  const order = new LookOrder();
  const [due, early] = [1_200, 2_000];
  let entries = [
    ...Array.from({ length: early }, (_, i) => held(i, 5_000)),
    ...Array.from({ length: due }, (_, i) => held(early + i, due - i)),
    held(-1, 0, true),
  ];
  const looks: string[][] = [];
  for (let i = 0; i < 4; i++) {
    const { items } = order.choose(entries, 1_200, () => true);
    looks.push(items.map(({ key }) => key));
    entries = entries.map((entry) => (items.includes(entry) && isDue(entry, 1_200) ? held(Number(entry.key), 9_000) : entry));
  }
  expect(looks.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 1_000]);
  expect(looks[0]?.slice(0, 2)).toEqual(["3199", "3198"]);
  expect(new Set(looks.flat()).size).toBe(3_200);
});

test("an item whose time is further away than any wait, since the clock was put back, is due", () => {
  const now = 100 * DAY_MS;
  expect([now, now + 1, now + DAY_MS, now + DAY_MS + 1].map((at) => isDue(held(1, at), now))).toEqual([true, false, false, true]);
});

test("the wait before bytes are read from the server again doubles from a minute to an hour, and an answer ends it", () => {
  let nowMs = 1_000 * DAY_MS;
  const pause = new RereadPause({ nowMs: () => nowMs, after: () => () => {} });
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    pause.begin();
    pause.begin();
    const sinceMs = nowMs;
    while (!pause.isOver()) nowMs += MINUTE_MS;
    waits.push((nowMs - sinceMs) / MINUTE_MS);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  pause.begin();
  nowMs -= DAY_MS;
  expect(pause.isOver()).toBe(true);
  pause.end();
  pause.begin();
  nowMs += MINUTE_MS;
  expect(pause.isOver()).toBe(true);
});
