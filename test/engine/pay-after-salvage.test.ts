import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { eventually, expectBooksToBalance, nextEvent, simulate } from "./helpers.ts";
import { MortalWallet } from "./payments/mortal-wallet.ts";

/** A wallet whose log lost its end while a payment was open, and which is reconciled since. */
async function salvagedInPayment() {
  const simulator = await simulate();
  simulator.faults.lightning.dropNotices = true;
  const mortal = new MortalWallet(simulator);
  const first = await mortal.live();
  await simulator.pay(await first.wallet.address(), { amountsSats: [10_000n] });
  await eventually(() => first.wallet.balance().spendableSats === 10_000n, "the money");
  simulator.lightning.setOutcome("never");
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  const payment = await first.wallet.pay(bolt11);
  await nextEvent(first.wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  await first.end();
  await mortal.salvage();
  const { wallet, end } = await mortal.live();
  await eventually(() => wallet.status().reconciling === null, "an end of the reconciling");
  expect(wallet.payment(payment.id).status).toBe("pending");
  // From here on the server does not say what became of a VTXO.
  simulator.faults.failNext("GetVtxoStatus", Status.UNAVAILABLE, 10_000);
  simulator.lightning.finish(paymentHash, "failure");
  await eventually(() => wallet.payment(payment.id).status === "failed", "the end of the payment");
  const refund = wallet.vtxos().filter(({ state }) => state === "unsure");
  expect(refund.reduce((sum, { amountSats }) => sum + amountSats, 0n)).toBeGreaterThan(4_000n);
  expect(wallet.balance()).toMatchObject({ totalSats: 10_000n, lockedSats: 0n });
  expectBooksToBalance(wallet.status());
  return { simulator, wallet, end, refund };
}

test("what a payment gives back after a salvage is money once the server called it unspent, while connected", async () => {
  const { simulator, wallet, end } = await salvagedInPayment();
  simulator.faults.clear();
  await eventually(() => wallet.balance().spendableSats === 10_000n, "the refund");
  expectBooksToBalance(wallet.status());
  await end();
});

test("what a payment gives back after a salvage, spent in the lost records, leaves the balance", async () => {
  const { simulator, wallet, end, refund } = await salvagedInPayment();
  for (const { id } of refund) simulator.setSpendState(id, "spent");
  simulator.faults.clear();
  const ids = refund.map(({ id }) => id);
  await eventually(() => wallet.quarantine().some(({ id }) => id !== null && ids.includes(id)), "the withdrawal");
  expect(wallet.balance().spendableSats).toBeLessThan(6_000n);
  expect(wallet.quarantine()).toMatchObject(ids.map((id) => ({ id, code: "SERVER_SAYS_SPENT" })));
  expectBooksToBalance(wallet.status());
  await end();
});
