import assert from "node:assert/strict";
import fc from "fast-check";
import { beforeAll, test } from "vitest";
import type { Invoice } from "../engine/invoice.ts";
import { buildReceivePool, type Pool } from "./deliveries/pool.ts";
import { propertyOptions } from "./options.ts";
import { finish, INITIAL_SATS, opened, PATIENCE_MS, perform, type Step, settleDown, type World } from "./receives/life.ts";
import { type Garble, RECEIVE_CALLS, type Trouble } from "./sends/paying-server.ts";

const RUNS = 4;
const which = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pay" as const), which, times: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("notify" as const, "cancel" as const), which, times: fc.constant(1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("trouble" as const),
      trouble: fc.record({
        at: fc.constantFrom(...RECEIVE_CALLS, "registerResults" as const, "backUp" as const),
        when: fc.constantFrom("before" as const, "after" as const),
        code: fc.constantFrom("DEADLINE" as const, "SERVER_UNREACHABLE" as const, "SERVER_FAILED" as const, null),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("garble" as const),
      how: fc.constantFrom<Garble>("signature", "nonce", "part-missing", "signatures-swapped"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("kill" as const), boundaries: fc.nat(25) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("disconnect" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("chain" as const), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("blocks" as const), count: fc.constantFrom(1, 2, 19, 60) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 60_000 }) }) },
);
const invoice = fc.record({ kind: fc.constant("invoice" as const), amountSats: fc.bigInt({ min: 200n, max: 5_000n }) });
const life = fc
  .array(fc.tuple(invoice, fc.array(step, { minLength: 1, maxLength: 5 })), { minLength: 1, maxLength: 3 })
  .map((rounds) => rounds.flatMap(([made, after]): Step[] => [made, ...after]));

let pool: Pool;

beforeAll(async () => {
  pool = await buildReceivePool();
}, 60_000);

test("whatever is lost, late, doubled or killed: the preimage leaves after its record, and what it bought arrives once", async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = await opened(pool);
      const invoices: Invoice[] = [];
      for (const one of steps) await perform(world, one, invoices);
      await settleDown(world);
      await finish(world);
    }),
    propertyOptions(RUNS),
  );
}, 3_600_000);

/** A receive of 2,000 sat that is paid, with a server and a chain that changed before. */
async function paid(prepared: (world: World) => void): Promise<{ readonly world: World; readonly made: Invoice }> {
  const world = await opened(pool);
  const invoices: Invoice[] = [];
  await perform(world, { kind: "invoice", amountSats: 2_000n }, invoices);
  prepared(world);
  await perform(world, { kind: "pay", which: 0, times: 1 }, invoices);
  const [made] = invoices;
  if (made === undefined) throw new Error("expected an invoice");
  return { world, made };
}

/** Does something right after the HTLCs were granted. */
function onceGranted({ server }: World, happen: () => void): void {
  const { desk } = server;
  if (desk === undefined) throw new Error("expected a desk");
  server.desk = {
    ...desk,
    prepare: (request) => {
      const answer = desk.prepare(request);
      happen();
      return answer;
    },
  };
}

const claims = (code: Trouble["code"], times: number): Trouble[] =>
  Array.from({ length: times }, () => ({ at: "claim", when: "before", code }));

test("a grant whose answer was lost two blocks ago is claimed, though it expires earlier than asked for now (R10)", async () => {
  const { world } = await paid(({ server }) => {
    server.troubles.push({ at: "prepare", when: "after", code: "DEADLINE" });
  });
  world.chain.tipHeight += 2;
  await settleDown(world);
  assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
  await finish(world);
});

test.each([
  [
    "the tip is past the last safe height and the server silent",
    (world: World) => {
      world.chain.tipHeight += 30;
      world.server.troubles.push({ at: "check", when: "before", code: "SERVER_FAILED" });
    },
  ],
  [
    "the tip is past the last safe height",
    (world: World) => {
      world.chain.tipHeight += 30;
    },
  ],
  [
    "the server cancelled it",
    (world: World) => {
      for (const receive of world.server.receives.values()) receive.state = "canceled";
    },
  ],
])("HTLCs that were granted are given up where %s: the preimage never leaves (R6)", async (_, happen) => {
  let revealed = 0;
  const { world, made } = await paid((fresh) => {
    fresh.server.onPreimage = () => void revealed++;
    onceGranted(fresh, () => happen(fresh));
  });
  await world.advance(PATIENCE_MS);
  assert.deepEqual([made.payment.status, revealed], ["canceled", 0]);
  assert.deepEqual(
    world.wallet.movements().map(({ status, effectiveBalanceSats }) => [status, effectiveBalanceSats]),
    [
      ["successful", INITIAL_SATS],
      ["canceled", 0n],
    ],
  );
  await world.close();
});

test("a claim is tried five times before the owner is told, at once where it is refused, and goes on all the same", async () => {
  for (const [code, attempts] of [
    ["SERVER_FAILED", 5],
    ["SERVER_REJECTED", 1],
  ] as const) {
    const { world, made } = await paid(({ server }) => void server.troubles.push(...claims(code, 7)));
    const told = () => world.durable.contextOf(made.payment.id)?.delay;
    let left = world.server.troubles.length;
    for (let ms = 0; told() === null && ms < PATIENCE_MS; ms += 1_000) {
      left = world.server.troubles.length;
      await world.advance(1_000);
    }
    assert.deepEqual([told(), 7 - world.server.troubles.length, left > 0], [code, attempts, true]);
    await settleDown(world);
    assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
    await finish(world);
  }
});

test("at the last height for a safe exit the transactions are handed out, also while the server is away; a claim still counts (R7)", async () => {
  const { world, made } = await paid(({ server }) => void server.troubles.push(...claims("SERVER_FAILED", 3)));
  const required: number[] = [];
  world.wallet.events$.subscribe({
    next: (event) => {
      if (event.type === "exit.required") required.push(event.byHeight);
    },
    error: () => {},
  });
  world.server.isUp = false;
  world.server.disconnect();
  world.chain.tipHeight += 19;
  await world.advance(2 * 60_000);
  assert.deepEqual(required, []);
  world.chain.tipHeight += 1;
  await world.advance(2 * 60_000);
  assert.deepEqual(required, [world.chain.tipHeight]);
  const [exiting] = world.wallet.vtxos().filter(({ state }) => state === "exiting");
  assert.ok((await world.wallet.exitTransactions(exiting?.id ?? "")).length > 1);
  await assert.rejects(world.wallet.giveUpReceive(made.paymentHash), { code: "NOT_CANCELLABLE" });
  world.server.isUp = true;
  await settleDown(world);
  assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
  await finish(world);
});

test("a payment that is a block older than the tip is asked for with less (R5)", async () => {
  const { world } = await paid(({ server }) => {
    server.heldBlocks = 215;
  });
  await settleDown(world);
  assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
  await finish(world);
});
