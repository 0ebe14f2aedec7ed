import fc from "fast-check";
import { type Life, lifeOf } from "../deliveries/commands.ts";
import { perform } from "../deliveries/perform.ts";
import { buildPool, type Pool } from "../deliveries/pool.ts";
import { Run } from "../deliveries/run.ts";
import { settleDown } from "../deliveries/settle-down.ts";
import type { Lane, LaneRun } from "./lane.ts";
import { makeUpSignatures } from "./library-of-curves.ts";
import { rememberResults } from "./remembered.ts";

/** Lives of one seed of fast-check. */
const LIVES = 20;
const MOST_COMMANDS = 80;
/** Time for a part and for making its counterexample smaller. */
const MOST_MS = 180_000;

/**
 * A wallet with all of its engine lives with a server, a chain, a clock and an owner who do anything, and is killed anywhere.
 * At every commit the promises of DESIGN §11 hold; when the faults end it has all the money and nothing else.
 */
export const mailboxModel: Lane = {
  name: "mailbox-model",
  unit: "commands",
  // In `npm test`, deliveries.property.test.ts lives a few lives of the same kind.
  counts: { ci: 40_000, soak: 50_000_000, test: 0 },
  shards: 2,
  leastPercent: { command: 1, role: 1, copy: 1 },
  async run(run) {
    const pool = await buildPool();
    makeUpSignatures();
    rememberResults();
    const [onlyPart, onlyPath] = run.path?.split("/") ?? [];
    for (let part = Number(onlyPart ?? 0); run.done < run.count; part++) {
      run.at = String(part);
      const details = await fc.check(
        fc.asyncProperty(lifeOf(MOST_COMMANDS), (life) => live(life, pool, run)),
        {
          seed: run.seed + 1_000 * part,
          numRuns: LIVES,
          interruptAfterTimeLimit: MOST_MS,
          ...(onlyPath === undefined ? {} : { path: onlyPath }),
        },
      );
      if (details.failed) {
        run.at = `${part}/${details.counterexamplePath}`;
        throw new Error(await fc.asyncDefaultReportMessage(details), { cause: details.errorInstance });
      }
      if (onlyPart !== undefined) return;
    }
  },
};

async function live({ setup, commands }: Life, pool: Pool, run: LaneRun): Promise<void> {
  const wallet = new Run(pool, setup);
  await wallet.open();
  for (const command of commands) {
    const [name, ...more] = await perform(wallet, command);
    wallet.checkTold();
    if (name === undefined) continue;
    run.done++;
    run.add("command", name);
    for (const label of more) run.add(label.split(".")[0] ?? label, label);
  }
  await settleDown(wallet);
  run.add("also", "records that were checked", Number(wallet.ledger.seq));
  run.add("also", "processes", Number(wallet.ledger.epoch));
}
