import { join } from "node:path";
import fc from "fast-check";
import type { Lane } from "./lane.ts";
import { life } from "./model-commands/commands.ts";
import { Life } from "./model-commands/life.ts";
import { withScratch } from "./scratch.ts";

/** Lives of one seed of fast-check. */
const LIVES = 20;

/**
 * A user appends, reads, takes snapshots and reopens in any order, with real LevelDB and a model beside it. Whatever the
 * order, after each command and at each acknowledgement the log is what the model is.
 */
export const modelCommands: Lane = {
  name: "model-commands",
  unit: "commands",
  counts: { ci: 100_000, soak: 5_000_000, test: 1_000 },
  shards: 2,
  leastPercent: { command: 1 },
  async run(run) {
    const [onlyPart, onlyPath] = run.path?.split("/") ?? [];
    for (let part = Number(onlyPart ?? 0); run.done < run.count; part++) {
      run.at = String(part);
      const lived = fc.asyncProperty(life, async (commands) => {
        await withScratch(async (directory) => {
          const living = await Life.begin(join(directory, "wallet"));
          for (const command of commands) {
            run.add("command", await living.execute(command));
            run.done++;
          }
          await living.end();
        });
      });
      const details = await fc.check(lived, {
        seed: run.seed + 1_000 * part,
        numRuns: LIVES,
        ...(onlyPath === undefined ? {} : { path: onlyPath }),
      });
      if (details.failed) {
        run.at = `${part}/${details.counterexamplePath}`;
        throw new Error(await fc.asyncDefaultReportMessage(details), { cause: details.errorInstance });
      }
      if (onlyPart !== undefined) return;
    }
  },
};
