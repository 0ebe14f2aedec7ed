import assert from "node:assert/strict";
import fc from "fast-check";
import { beforeAll, test } from "vitest";
import type { Invoice } from "../engine/invoice.ts";
import { buildReceivePool, type Pool } from "./deliveries/pool.ts";
import { VirtualClock } from "./deliveries/virtual-clock.ts";
import { propertyOptions } from "./options.ts";
import { ReceivingServer } from "./receives/receiving-server.ts";
import { type Garble, RECEIVE_CALLS, type Trouble } from "./sends/paying-server.ts";
import { SendingWorld } from "./sends/world.ts";

const RUNS = 4;
const PATIENCE_MS = 5 * 60_000;
const INITIAL_SATS = 3_000n;

type World = SendingWorld<ReceivingServer>;

type Step =
  | { readonly kind: "invoice"; readonly amountSats: bigint }
  | { readonly kind: "pay" | "notify" | "cancel"; readonly which: number; readonly times: number }
  | { readonly kind: "trouble"; readonly trouble: Trouble }
  | { readonly kind: "garble"; readonly how: Garble }
  | { readonly kind: "kill"; readonly boundaries: number }
  | { readonly kind: "disconnect" }
  | { readonly kind: "chain"; readonly up: boolean }
  | { readonly kind: "blocks"; readonly count: number }
  | { readonly kind: "wait"; readonly ms: number };

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
      const world = await opened();
      const invoices: Invoice[] = [];
      for (const one of steps) await perform(world, one, invoices);
      await settleDown(world);
      await finish(world);
    }),
    propertyOptions(RUNS),
  );
}, 3_600_000);

test.each(
  [...RECEIVE_CALLS.slice(1, -1), "registerResults", "backUp"].flatMap((at) => [[at, "before"] as const, [at, "after"] as const]),
)(
  "a wallet that is killed at %s, %s it is carried out, goes on with its receive and gets the money once",
  async (at, when) => {
    const world = await opened();
    const invoices: Invoice[] = [];
    await perform(world, { kind: "invoice", amountSats: 2_000n }, invoices);
    world.server.troubles.push({ at: at as Trouble["at"], when, code: null });
    await perform(world, { kind: "pay", which: 0, times: 1 }, invoices);
    await settleDown(world);
    assert.deepEqual(world.server.troubles, [], "the process was killed");
    assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
    await finish(world);
  },
  60_000,
);

test.each(["before", "after"] as const)(
  "a wallet that is killed at start, %s it is carried out, asks for another invoice",
  async (when) => {
    const world = await opened();
    const invoices: Invoice[] = [];
    world.server.troubles.push({ at: "start", when, code: null });
    await perform(world, { kind: "invoice", amountSats: 2_000n }, invoices);
    await perform(world, { kind: "invoice", amountSats: 2_000n }, invoices);
    assert.equal(invoices.length, 1);
    await perform(world, { kind: "pay", which: 0, times: 0 }, invoices);
    await settleDown(world);
    assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
    await finish(world);
  },
);

/** A receive of 2,000 sat that is paid, with a server and a chain that changed before. */
async function paid(prepared: (world: World) => void): Promise<{ readonly world: World; readonly made: Invoice }> {
  const world = await opened();
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

async function opened(): Promise<World> {
  const clock = new VirtualClock();
  const world: World = new SendingWorld(pool, new ReceivingServer(pool, "small", () => clock.nowMs()), clock);
  world.server.onPreimage = (paymentHash) => {
    const name = `lightning-receive/${paymentHash}`;
    const isRevealed = world.durable.instances.get(name)?.state === "PreimageRevealed" || world.durable.hasFinished(name);
    if (!isRevealed) world.server.broken ??= new assert.AssertionError({ message: "the preimage left before its record" });
  };
  await world.open();
  return world;
}

async function perform(world: World, one: Step, invoices: Invoice[]): Promise<void> {
  switch (one.kind) {
    case "invoice":
      world.wallet.invoice({ amountSats: one.amountSats }).then(
        (made) => invoices.push(made),
        () => {},
      );
      return world.settle();
    case "pay":
    case "notify":
    case "cancel": {
      const hash = invoices[one.which % Math.max(1, invoices.length)]?.paymentHash;
      if (hash === undefined) return;
      if (one.kind === "pay") world.server.pay(hash, one.times);
      if (one.kind === "notify") world.server.notify(hash);
      if (one.kind === "cancel") world.wallet.cancelInvoice(hash).catch(() => {});
      return world.settle();
    }
    case "trouble":
      world.server.troubles.push(one.trouble);
      return;
    case "garble":
      world.server.garbles.push(one.how);
      return;
    case "kill":
      world.fate.killAfter(one.boundaries);
      return;
    case "disconnect":
      world.server.disconnect();
      return world.settle();
    case "chain":
      world.chain.state = one.up ? "up" : "down";
      return;
    case "blocks":
      world.chain.tipHeight += one.count;
      return;
    case "wait":
      return world.advance(one.ms);
  }
}

/** Ends all faults, gives the wallet time, and gives up what nobody pays. */
async function settleDown(world: World): Promise<void> {
  world.fate.spare();
  world.server.troubles.length = 0;
  world.server.garbles.length = 0;
  world.chain.state = "up";
  await world.advance(PATIENCE_MS);
  for (const [paymentHash, { state }] of world.server.receives) {
    if (state === "created") await world.wallet.cancelInvoice(paymentHash).catch(() => {});
  }
  await world.advance(PATIENCE_MS);
}

/** Every receive is at its end; the wallet has what the server settled, and the server no preimage of anything else. */
async function finish(world: World): Promise<void> {
  const { wallet, server } = world;
  const status = wallet.status();
  assert.deepEqual(wallet.payments(), [], "every receive is at its end");
  assert.equal(status.openCommands, 0, "no command is left");
  const received = status.movements.filter(
    ({ subsystem, status: end }) => subsystem.name === "bark.lightning_receive" && end === "successful",
  );
  const settled = [...server.receives].filter(([, { state }]) => state === "settled");
  assert.deepEqual(
    received.map(({ receivedOn }) => receivedOn[0]?.destination).toSorted(),
    settled.map(([, { bolt11 }]) => bolt11).toSorted(),
    "what the server settled has arrived, and nothing else",
  );
  assert.ok(status.vtxos.every(({ state }) => state === "spendable" || state === "expired"));
  const sum = received.reduce((total, { effectiveBalanceSats }) => total + effectiveBalanceSats, 0n);
  assert.equal(status.balance.totalSats, INITIAL_SATS + sum);
  await world.close();
  await world.checkReplay();
}
