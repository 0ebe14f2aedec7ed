import { expect, test } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { movementIdOf } from "../../machines/books.ts";
import { codeOfRefusal, eventually, expectBooksToBalance, goLive, recorded, type Setup, setUp } from "./helpers.ts";

/** A wallet that is live and has money. */
async function fundedWallet(amountsSats: readonly bigint[]): Promise<Setup> {
  const setup = await setUp();
  await setup.simulator.pay(setup.address, { amountsSats });
  await setup.wallet.sync();
  await goLive(setup.wallet);
  return setup;
}

test("a payment settles with a notice: the fee was quoted, the preimage is kept, and nothing is paid twice", async () => {
  const { wallet, simulator } = await fundedWallet([10_000n, 3_000n]);
  const { bolt11, paymentHash, preimage } = simulator.lightning.invoice({ amountSats: 4_000n, description: "tea" });
  const quote = await wallet.quote(bolt11);
  expect(quote).toMatchObject({ paymentHash, amountSats: 4_000n, description: "tea" });
  const [payment, again] = await Promise.all([wallet.pay(bolt11), wallet.pay(bolt11)]);
  expect(again.id).toBe(payment.id);
  const { movement } = await payment.settled();
  expect(movement).toMatchObject({
    subsystem: { name: "bark.lightning_send", kind: "send" },
    status: "successful",
    intendedBalanceSats: -4_000n,
    effectiveBalanceSats: -4_000n - quote.feeSats,
    feeSats: quote.feeSats,
    inputVtxos: quote.inputs,
    metadata: { payment_hash: paymentHash, payment_preimage: encodeHex(preimage ?? new Uint8Array()) },
  });
  expect(wallet.balance()).toMatchObject({ totalSats: 9_000n - quote.feeSats, spendableSats: 9_000n - quote.feeSats });
  expectBooksToBalance(wallet.status());
  expect(await codeOfRefusal(wallet.pay(bolt11))).toBe("INVOICE_PAID");
  expect(await codeOfRefusal(wallet.quote(bolt11))).toBe("INVOICE_PAID");
  expect(simulator.lightning.payments(paymentHash)).toHaveLength(1);
});

test("what fails is given back whole; the same invoice is paid by a second attempt, which a poll finds", async () => {
  const { wallet, simulator } = await fundedWallet([700n, 900n]);
  simulator.faults.lightning.dropNotices = true;
  // Below the dust limit in one part, and out of both inputs.
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 650n });
  simulator.lightning.setOutcome(["failure", "success"], paymentHash);
  const events = recorded(wallet);
  const failed = await wallet.pay(bolt11);
  expect(await codeOfRefusal(failed.settled())).toBe("PAYMENT_FAILED");
  expect(wallet.balance()).toMatchObject({ totalSats: 1_600n, spendableSats: 1_600n, pendingOutSats: 0n });
  expect(wallet.movements().at(-1)).toMatchObject({
    id: movementIdOf(failed.id),
    status: "failed",
    effectiveBalanceSats: 0n,
    feeSats: 0n,
    metadata: { payment_preimage: null },
  });
  const states = events.flatMap((event) => (event.type === "payment.changed" ? [event.state] : []));
  expect(states).toEqual(["Start", "HtlcReceived", "PaymentInitiated", "RevocableHtlcs", "Revoked"]);
  // A restore of the seed finds what came back.
  await eventually(() => wallet.status().openCommands === 0, "the backup");
  expect(simulator.recoveryIds()).toEqual(expect.arrayContaining(wallet.vtxos().map(({ id }) => id)));

  const second = await wallet.pay(bolt11);
  expect([failed.id, second.id]).toEqual([0, 1].map((attempt) => `lightning-send/${paymentHash}/${attempt}`));
  const { movement } = await second.settled();
  expect(movement.feeSats).toBeGreaterThan(0n);
  expect(wallet.balance()).toMatchObject({ totalSats: 950n - movement.feeSats, spendableSats: 950n - movement.feeSats });
  expectBooksToBalance(wallet.status());
});

test("a false preimage settles nothing; the true one does, even when the server denies it afterwards", async () => {
  const { wallet, simulator } = await fundedWallet([5_000n, 5_000n]);
  const lied = simulator.lightning.invoice({ amountSats: 1_000n });
  const denied = simulator.lightning.invoice({ amountSats: 1_000n });
  simulator.lightning.setOutcome("wrong-preimage", lied.paymentHash);
  simulator.lightning.setOutcome("success-then-denial", denied.paymentHash);
  const [first, second] = [await wallet.pay(lied.bolt11), await wallet.pay(denied.bolt11)];
  await second.settled();
  expect(first.status).toBe("pending");
  simulator.lightning.finish(lied.paymentHash, "success");
  // The false one stands in the server's notice for good; a poll finds the true one.
  expect(first.status).toBe("pending");
});
