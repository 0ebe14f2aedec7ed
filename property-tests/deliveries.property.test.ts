import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { type Life, life } from "./deliveries/commands.ts";
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

const RUNS_THAT_COUNT = 1_000;
const SMALLEST_SHARE = 0.01;

let pool: Pool;

beforeAll(async () => {
  pool = await buildPool();
}, 60_000);

test("whatever is delivered, fails or is killed: each VTXO is credited once, and nothing is lost", async () => {
  const executed = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(life, async (lived) => {
      for (const label of await live(lived)) executed.set(label, (executed.get(label) ?? 0) + 1);
    }),
    propertyOptions(300),
  );
  report(executed);
}, 3_600_000);

for (const [claim, lived] of Object.entries(regressions)) test(claim, async () => void (await live(lived)));

/** Lives one life with all its checks; the classes of what was executed. */
async function live({ setup, commands }: Life): Promise<string[]> {
  const run = new Run(pool, setup);
  await run.open();
  const labels: string[] = [];
  for (const command of commands) labels.push(...(await perform(run, command)));
  await settleDown(run);
  return labels;
}

/** Says how often each class of command was executed; a class that hardly was shows nothing. */
function report(executed: ReadonlyMap<string, number>): void {
  const { numRuns = 0 } = propertyOptions(300);
  const sum = [...executed.values()].reduce((total, count) => total + count, 0);
  const lines = [...executed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, count]) => `  ${label}: ${count}`);
  process.stdout.write(`${[`deliveries: ${sum} in ${numRuns} runs`, ...lines].join("\n")}\n`);
  if (numRuns < RUNS_THAT_COUNT) return;
  for (const [label, count] of executed) expect(count / sum, label).toBeGreaterThanOrEqual(SMALLEST_SHARE);
}
