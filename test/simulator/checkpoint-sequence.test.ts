import { expect, test } from "vitest";
import { CheckpointSequence } from "../../simulator/checkpoint-sequence.ts";
import { SimulatorError } from "../../simulator/errors.ts";

test("the first position of a millisecond is its time shifted by twenty bits", () => {
  expect(new CheckpointSequence(() => 1_800_000_000_123).next()).toBe(1_800_000_000_123n << 20n);
});

test("positions ascend strictly while the clock stands, steps back and goes on", () => {
  const times = [1_000, 1_000, 1_000, 400, -5, 1_000, 1_001, 1_001, 1_000, 2_000];
  const sequence = new CheckpointSequence(() => times.shift() ?? 0);
  const positions = Array.from({ length: 10 }, () => sequence.next());
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
  expect(positions.map((position) => Number(position >> 20n))).toEqual([
    1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_001, 1_001, 1_001, 2_000,
  ]);
  expect(positions.map((position) => Number(position & 0xf_ffffn))).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 0]);
});

test("fractions of a millisecond do not matter", () => {
  expect(new CheckpointSequence(() => 5.75).next()).toBe(5n << 20n);
});

test("the post after 2^20 in one millisecond is an error, and the next millisecond heals it", () => {
  let now = 7;
  const sequence = new CheckpointSequence(() => now);
  for (let i = 0; i < 2 ** 20; i++) sequence.next();
  expect(() => sequence.next()).toThrow(SimulatorError);
  expect(() => sequence.next()).toThrow("expected at most 1048576 posts in a millisecond");
  now = 8;
  expect(sequence.next()).toBe(8n << 20n);
});
