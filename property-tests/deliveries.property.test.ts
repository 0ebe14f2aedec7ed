import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { type Life, lifeOf } from "./deliveries/commands.ts";
import { perform } from "./deliveries/perform.ts";
import { buildPool, type Pool } from "./deliveries/pool.ts";
import { regressions } from "./deliveries/regressions.ts";
import { Run } from "./deliveries/run.ts";
import { settleDown } from "./deliveries/settle-down.ts";
import { propertyOptions } from "./options.ts";

// Signing is most of what a short life costs. It is pure, and the lives sign the same few messages again and again.
vi.mock("@noble/secp256k1", async (load) => {
  const { remembered } = await import("./deliveries/remembered.ts");
  const library = await load<typeof import("@noble/secp256k1")>();
  return { ...library, schnorr: { ...library.schnorr, sign: remembered(library.schnorr.sign) } };
});

const RUNS = 20;
const MOST_COMMANDS = 16;
/** From so many runs on, no class of command may be rarer than that. */
const RUNS_THAT_COUNT = 1_000;
const LEAST_PERCENT = 1;

let pool: Pool;

beforeAll(async () => {
  pool = await buildPool();
}, 60_000);

test("whatever is delivered, fails or is killed: each VTXO is credited once, and nothing is lost", async () => {
  const executed = new Map<string, number>();
  let commands = 0;
  await fc.assert(
    fc.asyncProperty(lifeOf(MOST_COMMANDS), async (lived) => {
      for (const classes of await live(lived)) {
        commands++;
        for (const name of classes) executed.set(name, (executed.get(name) ?? 0) + 1);
      }
    }),
    propertyOptions(RUNS),
  );
  report(commands, executed);
}, 3_600_000);

for (const [claim, lived] of Object.entries(regressions)) test(claim, async () => void (await live(lived)));

/** Lives one life with all its checks; the classes that each executed command counts for. */
async function live({ setup, commands }: Life): Promise<(readonly string[])[]> {
  const run = new Run(pool, setup);
  await run.open();
  const executed: (readonly string[])[] = [];
  for (const command of commands) {
    executed.push(await perform(run, command));
    run.checkTold();
  }
  await settleDown(run);
  return executed.filter((classes) => classes.length > 0);
}

/** Says how often each class of command was executed; one that hardly was shows nothing. */
function report(commands: number, executed: ReadonlyMap<string, number>): void {
  const { numRuns = 0 } = propertyOptions(RUNS);
  const shares = [...executed].map(([name, count]) => ({ name, count, percent: (100 * count) / commands }));
  const lines = shares
    .sort((a, b) => b.count - a.count)
    .map(({ name, count, percent }) => `  ${String(count).padStart(8)} ${percent.toFixed(1).padStart(5)} %  ${name}`);
  process.stdout.write(`${[`deliveries: ${commands} commands in ${numRuns} runs`, ...lines].join("\n")}\n`);
  if (numRuns < RUNS_THAT_COUNT) return;
  for (const { name, percent } of shares) expect(percent, name).toBeGreaterThanOrEqual(LEAST_PERCENT);
}
