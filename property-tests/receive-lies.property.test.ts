import assert from "node:assert/strict";
import { beforeAll, expect, test } from "vitest";
import { encodeVtxo } from "../ark/vtxo.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Invoice } from "../engine/invoice.ts";
import { buildReceivePool, type Pool } from "./deliveries/pool.ts";
import { VirtualClock } from "./deliveries/virtual-clock.ts";
import { ReceivingServer } from "./receives/receiving-server.ts";
import { SendingWorld } from "./sends/world.ts";

/** Blocks after which an exit of a grant cannot be over in time any more. */
const TOO_LATE_BLOCKS = 60;
const PATIENCE_MS = 5 * 60_000;
const INITIAL_SATS = 3_000n;

let pool: Pool;

beforeAll(async () => {
  pool = await buildReceivePool();
}, 60_000);

/** A server that calls a receive settled whose preimage it never saw, once the time for an exit is over. */
class LyingServer extends ReceivingServer {
  /** When it begins to say so; the blocks come right then. */
  lieAfter: "check" | "prepare" | undefined;
  onLie: () => void = () => {};
  /** The key that the wallet would ask a grant for. */
  userPubkey: Uint8Array = new Uint8Array();
  /** Payment hashes of the preimages that it got. */
  readonly preimages: string[] = [];
  #isLying = false;

  constructor(from: Pool, nowMs: () => number) {
    super(from, "small", nowMs);
    this.onPreimage = (paymentHash) => this.preimages.push(paymentHash);
    const honest = this.desk;
    assert.ok(honest !== undefined);
    this.desk = {
      ...honest,
      check: (paymentHash) => {
        const report = honest.check(paymentHash);
        if (this.lieAfter === "check" && report.state === "accepted") this.#grantUnasked(paymentHash);
        return this.#isLying ? { ...honest.check(paymentHash), state: "settled" } : report;
      },
      prepare: (request) => {
        const answer = honest.prepare(request);
        if (this.lieAfter === "prepare") this.#lie();
        return answer;
      },
    };
  }

  /** Granted VTXOs can be downloaded, as the others. */
  override copy(id: VtxoId): Uint8Array {
    return encodeVtxo(this.rowOf(id).vtxo);
  }

  #grantUnasked(paymentHash: Uint8Array): void {
    this.desk?.prepare({ paymentHash, userPubkey: this.userPubkey, htlcExpiryHeight: pool.tipHeight + 1 });
    this.#lie();
  }

  #lie(): void {
    this.#isLying = true;
    this.onLie();
  }
}

async function opened() {
  const clock = new VirtualClock();
  const server = new LyingServer(pool, () => clock.nowMs());
  const world = new SendingWorld(pool, server, clock);
  await world.open();
  return { world, server };
}

async function paidInvoice({ world, server }: Awaited<ReturnType<typeof opened>>): Promise<Invoice> {
  const made: Invoice[] = [];
  world.wallet.invoice({ amountSats: 2_000n }).then((invoice) => made.push(invoice), assert.fail);
  await world.settle();
  const [invoice] = made;
  assert.ok(invoice !== undefined);
  const { keyIndex } = world.durable.contextOf(invoice.payment.id) ?? {};
  server.userPubkey = pool.keys.vtxoPublicKey(Number(keyIndex));
  server.pay(invoice.paymentHash, 1);
  await world.advance(PATIENCE_MS);
  return invoice;
}

test("a server that calls a grant settled after the time for an exit gets no preimage", async () => {
  const lying = await opened();
  const { world, server } = lying;
  server.lieAfter = "prepare";
  server.onLie = () => {
    world.chain.tipHeight += TOO_LATE_BLOCKS;
  };
  const { payment } = await paidInvoice(lying);
  expect(server.preimages).toEqual([]);
  expect(payment.status).toBe("canceled");
  expect(world.wallet.balance().totalSats).toBe(INITIAL_SATS);
  await world.close();
});

test("a server that calls a receive settled before it granted anything in time gets no preimage", async () => {
  const lying = await opened();
  const { world, server } = lying;
  server.lieAfter = "check";
  const { payment, paymentHash } = await paidInvoice(lying);
  expect(server.preimages).toEqual([]);
  expect(world.durable.instances.get(payment.id)).toMatchObject({ state: "AwaitingPayment" });
  // The owner can end it, and need not wait for the server.
  await world.wallet.cancelInvoice(paymentHash);
  await world.settle();
  expect(payment.status).not.toBe("pending");
  await world.close();
});

test("of two grants of one output that come at the same moment, one gets its preimage", async () => {
  const { world, server } = await opened();
  server.grantsOneOutput = true;
  const made: Invoice[] = [];
  for (const amountSats of [2_000n, 1_900n]) {
    world.wallet.invoice({ amountSats }).then((invoice) => made.push(invoice), assert.fail);
    await world.settle();
  }
  for (const { paymentHash } of made) server.pay(paymentHash, 0);
  await world.advance(PATIENCE_MS);
  expect(server.preimages).toHaveLength(1);
  expect(made.map(({ payment }) => payment.status).toSorted()).toEqual(["failed", "successful"]);
  await world.close();
});
