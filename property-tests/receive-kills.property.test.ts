import assert from "node:assert/strict";
import { beforeAll, test } from "vitest";
import { buildAddress, encodeAddress } from "../ark/address.ts";
import { encodeHex } from "../ark/hex.ts";
import type { Invoice } from "../engine/invoice.ts";
import { buildReceivePool, type Pool, STRANGER_KEYS } from "./deliveries/pool.ts";
import { finish, INITIAL_SATS, opened, PATIENCE_MS, perform, settleDown, type World } from "./receives/life.ts";
import { RECEIVE_CALLS, type Trouble } from "./sends/paying-server.ts";

let pool: Pool;

beforeAll(async () => {
  pool = await buildReceivePool();
}, 60_000);

test.each(
  [...RECEIVE_CALLS.slice(1, -1), "registerResults", "backUp"].flatMap((at) => [[at, "before"] as const, [at, "after"] as const]),
)(
  "a wallet that is killed at %s, %s it is carried out, goes on with its receive and gets the money once",
  async (at, when) => {
    const world = await opened(pool);
    const invoices: Invoice[] = [];
    await perform(world, { kind: "invoice", amountSats: 2_000n }, invoices);
    world.server.troubles.push({ at: at as Trouble["at"], when, code: null });
    await perform(world, { kind: "pay", which: 0, times: 1 }, invoices);
    await expectKilled(world);
    await settleDown(world);
    assert.equal(world.wallet.balance().totalSats, INITIAL_SATS + 1_896n);
    await finish(world);
  },
  60_000,
);

test.each(["before", "after"] as const)(
  "a wallet that is killed at start, %s it is carried out, asks for another invoice",
  async (when) => {
    const world = await opened(pool);
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

test.each(["before", "after"] as const)(
  "a wallet that is killed at a cancellation, %s it is carried out, cancels in its next life",
  async (when) => {
    const world = await opened(pool);
    const invoices: Invoice[] = [];
    await perform(world, { kind: "invoice", amountSats: 2_000n }, invoices);
    world.server.troubles.push({ at: "cancel", when, code: null });
    await perform(world, { kind: "cancel", which: 0, times: 0 }, invoices);
    await expectKilled(world);
    await settleDown(world);
    assert.equal(world.wallet.payment(invoices[0]?.payment.id ?? "").status, "canceled");
    assert.deepEqual(
      [...world.server.receives.values()].map(({ state }) => state),
      ["canceled"],
    );
    assert.equal(world.wallet.balance().totalSats, INITIAL_SATS);
    await finish(world);
  },
);

test.each(["before", "after"] as const)(
  "a wallet that is killed at the post to another address, %s it is carried out, hands over what it claimed, and keeps nothing",
  async (when) => {
    const world = await opened(pool);
    const { serverPubkey, mailboxPubkey } = pool.info;
    const { mailboxId } = STRANGER_KEYS;
    const address = { serverPubkey, mailboxPubkey, vtxoSecretKey: STRANGER_KEYS.vtxoSecretKey(7), mailboxId, mainnet: false };
    const made = world.wallet.invoice({ amountSats: 2_000n, destination: encodeAddress(buildAddress(address)) });
    await world.settle();
    const { payment, paymentHash } = await made;
    world.server.troubles.push({ at: "deliver", when, code: null });
    world.server.pay(paymentHash, 1);
    await world.settle();
    await expectKilled(world);
    await settleDown(world);
    assert.equal(world.wallet.payment(payment.id).status, "successful");
    const delivered = [...(world.server.delivered.get(encodeHex(STRANGER_KEYS.vtxoPublicKey(7)))?.values() ?? [])];
    assert.deepEqual(delivered, [1_896n]);
    assert.equal(world.wallet.balance().totalSats, INITIAL_SATS);
    await finish(world);
  },
);

/** Gives the call at which a process dies time to come. */
async function expectKilled(world: World): Promise<void> {
  for (let waited = 0; world.server.troubles.length > 0 && waited < PATIENCE_MS; waited += 4_000) await world.advance(4_000);
  assert.deepEqual(world.server.troubles, [], "the process was killed");
}
