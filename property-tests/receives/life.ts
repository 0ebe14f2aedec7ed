import assert from "node:assert/strict";
import type { Invoice } from "../../engine/invoice.ts";
import type { Pool } from "../deliveries/pool.ts";
import { VirtualClock } from "../deliveries/virtual-clock.ts";
import type { Garble, Trouble } from "../sends/paying-server.ts";
import { SendingWorld } from "../sends/world.ts";
import { ReceivingServer } from "./receiving-server.ts";

/** Time in which everything comes to its end. */
export const PATIENCE_MS = 5 * 60_000;
/** What the wallet begins with. */
export const INITIAL_SATS = 3_000n;

/** A wallet that receives. */
export type World = SendingWorld<ReceivingServer>;

/** What happens in its life. */
export type Step =
  | { readonly kind: "invoice"; readonly amountSats: bigint }
  | { readonly kind: "pay" | "notify" | "cancel"; readonly which: number; readonly times: number }
  | { readonly kind: "trouble"; readonly trouble: Trouble }
  | { readonly kind: "garble"; readonly how: Garble }
  | { readonly kind: "kill"; readonly boundaries: number }
  | { readonly kind: "disconnect" }
  | { readonly kind: "chain"; readonly up: boolean }
  | { readonly kind: "blocks"; readonly count: number }
  | { readonly kind: "wait"; readonly ms: number };

/** A wallet that is open and has its first money. */
export async function opened(pool: Pool): Promise<World> {
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

/** Does one step; an invoice that is made joins `invoices`. */
export async function perform(world: World, one: Step, invoices: Invoice[]): Promise<void> {
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
export async function settleDown(world: World): Promise<void> {
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
export async function finish(world: World): Promise<void> {
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
