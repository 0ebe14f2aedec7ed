import fc from "fast-check";
import { beforeAll, test, vi } from "vitest";
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

let pool: Pool;

beforeAll(async () => {
  pool = await buildPool();
}, 60_000);

test("whatever is delivered, fails or is killed: each VTXO is credited once, and nothing is lost", async () => {
  await fc.assert(fc.asyncProperty(lifeOf(MOST_COMMANDS), live), propertyOptions(RUNS));
}, 3_600_000);

for (const [claim, lived] of Object.entries(regressions)) test(claim, () => live(lived));

/** Lives one life with all its checks. The lane mailbox-model lives many more, and counts what happens in them. */
async function live({ setup, commands }: Life): Promise<void> {
  const run = new Run(pool, setup);
  await run.open();
  for (const command of commands) {
    await perform(run, command);
    run.checkTold();
  }
  await settleDown(run);
}
