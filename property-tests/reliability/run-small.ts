import { test } from "vitest";
import { type Lane, LaneRun, MachineRefused } from "./lane.ts";

/** A lane as a test of `npm test`: a small part of what CI runs, with a new seed each time. */
export function testLane(lane: Lane): void {
  const seed = Number(process.env.PROPERTY_SEED ?? Math.floor(Math.random() * 1_000_000));
  const count = lane.counts.test;
  test(`${lane.name}: ${count} ${lane.unit}`, { timeout: 120_000 }, async ({ skip }) => {
    const run = new LaneRun({ seed, count });
    try {
      await lane.run(run);
    } catch (error) {
      if (error instanceof MachineRefused) skip(error.message);
      const replay = `npm run reliability -- --lane ${lane.name} --seed ${seed} --path ${run.at}`;
      throw new Error(`failed at ${run.at}; again: ${replay}`, { cause: error });
    }
  });
}
