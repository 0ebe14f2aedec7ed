import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { codeOf } from "../../engine/index.ts";
import type { Simulator } from "../../simulator/index.ts";
import {
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  FastClock,
  fastChain,
  freshDirectory,
  goLive,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  recorded,
  walletOptions,
} from "./helpers.ts";
import type { Fate } from "./payments/boundaries.ts";
import { funded, losingCosign, states } from "./payments/funded.ts";

test("an initiation that is refused because the payment succeeded settles it (S8, scenario 4)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.faults.loseNext("InitiateLightningPayment");
  const events = recorded(wallet);
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await expectEnd(payment, "successful");
  expect(states(events)).not.toContain("PaymentInitiated");
});

test("a payment that stays open is given back once its HTLCs have expired (scenario 5)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.lightning.setOutcome("never");
  const stuck = nextEvent(wallet, "payment.changed", ({ state }) => state === "RevocationStuck");
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  simulator.mine(250);
  await stuck;
  expect(wallet.balance().pendingOutSats).toBeGreaterThan(4_000n);
  simulator.mine(11);
  await expectEnd(payment, "failed");
});

test("a late success settles a payment whose revocation is stuck (S8)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.lightning.setOutcome("never");
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  const stuck = nextEvent(wallet, "payment.changed", ({ state }) => state === "RevocationStuck");
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  simulator.mine(250);
  await stuck;
  simulator.lightning.finish(paymentHash, "success");
  await expectEnd(payment, "successful");
});

test("a refused revocation whose text has the preimage settles, also where the status is never told (S8)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.lightning.setOutcome("never");
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  const stuck = nextEvent(wallet, "payment.changed", ({ state }) => state === "RevocationStuck");
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  simulator.faults.failNext("CheckLightningPayment", Status.UNAVAILABLE, 100_000);
  simulator.mine(250);
  await stuck;
  simulator.lightning.finish(paymentHash, "success");
  await expectEnd(payment, "successful");
});

test("a payment below 330 sat goes out beside its change (scenario 1)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 100n });
  await expectEnd(await wallet.pay(bolt11), "successful");
});

test("a registration that fails holds a payment up, and does not end it (S6, scenario 6)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.faults.failNext("RegisterVtxoTransactions", Status.INVALID_ARGUMENT, 2);
  await expectEnd(await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11), "successful");
});

test.each([
  ["fails", "fails"],
  ["is lost", "lost"],
  ["is dropped by the server", "dropped"],
] as const)(
  "HTLCs whose first registration %s are registered again, and the payment goes out (S6, scenario 6)",
  async (_, fate) => {
    let [hasCosigned, isHit] = [false, false];
    const fateOf = (method: string, { faults }: Simulator): Fate => {
      if (method === "cosign") hasCosigned = true;
      if (method !== "registerVtxoTransactions" || !hasCosigned || isHit) return "through";
      isHit = true;
      if (fate !== "dropped") return fate;
      faults.lightning.dropRegistrations = 1;
      return "through";
    };
    const { simulator, wallet, expectEnd } = await funded([10_000n], { fateOf });
    const events = recorded(wallet);
    const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
    await expectEnd(await wallet.pay(bolt11), "successful");
    expect(isHit).toBe(true);
    expect(states(events)).not.toContain("RevocableHtlcs");
    expect(simulator.lightning.payments(paymentHash)).toHaveLength(1);
  },
);

test("a wrong preimage of the status and of a notice is passed over; the right one settles (scenario 7)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.faults.lightning.dropNotices = false;
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  simulator.lightning.setOutcome("wrong-preimage", paymentHash);
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  await eventually(() => wallet.status().openNotices === 0 && wallet.status().counters.messages === 2, "the false notice");
  expect(payment.status).toBe("pending");
  simulator.mine(250);
  simulator.mine(11);
  await expectEnd(payment, "failed");
});

test.each([1, 2])("a server whose tip is %i ahead pays all the same (S5, scenario 9)", async (blocks) => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.faults.lightning.tipAhead = blocks;
  await expectEnd(await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11), "successful");
});

test("a forged invoice with the hash of an invoice of the server is refused and given back (scenario 17)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  const { paymentHash } = await wallet.invoice({ amountSats: 5_000n });
  const forged = simulator.lightning.invoice({ amountSats: 4_000n, paymentHash });
  await expectEnd(await wallet.pay(forged.bolt11), "failed");
});

test("where VTXOs run out and nothing is given back, an exit is required, and its transactions are handed out (scenario 18)", async () => {
  const { simulator, wallet, expectEnd } = await funded([10_000n], { terms: { vtxoLifetime: 300 } });
  simulator.lightning.setOutcome("never");
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  simulator.faults.failNext("RequestLightningPayHtlcRevocation", Status.INTERNAL, 1_000);
  const required = nextEvent(wallet, "exit.required");
  simulator.mine(285);
  const { vtxos, byHeight } = await required;
  expect(byHeight).toBeLessThan(simulator.chain.tip + 15);
  for (const id of vtxos) expect((await wallet.exitTransactions(id)).length).toBeGreaterThan(0);
  expect(
    wallet
      .vtxos()
      .filter(({ id }) => vtxos.includes(id))
      .map(({ state }) => state),
  ).toEqual(vtxos.map(() => "exiting"));
  simulator.faults.clear();
  await expectEnd(payment, "failed");
});

test("an initiation refused without an attempt gives back at once; one accepted without an attempt is made again (S8, S12, scenario 19)", async () => {
  const { simulator, wallet, clock, expectEnd } = await funded([10_000n, 10_000n]);
  simulator.faults.failNext("InitiateLightningPayment", Status.INVALID_ARGUMENT);
  const refused = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  expect(await codeOfRefusal(refused.settled())).toBe("PAYMENT_FAILED");
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  simulator.lightning.setOutcome(["no-node", "success"], paymentHash);
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  // Half a minute counts from the first look that finds nothing.
  const looks = simulator.calls("CheckLightningPayment");
  await eventually(() => simulator.calls("CheckLightningPayment") > looks + 1, "a look that finds nothing");
  expect(simulator.lightning.payments(paymentHash)).toEqual([]);
  clock.leap(31_000);
  await expectEnd(payment, "successful");
});

test("a payment of which the server knows nothing is given back near its expiry, and not begun again (S12)", async () => {
  let atNextLook = (): void => {};
  const { simulator, wallet, clock, expectEnd } = await funded([10_000n], {
    fateOf: (method) => {
      if (method === "check") atNextLook();
      return "through";
    },
  });
  const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 4_000n });
  simulator.lightning.setOutcome(["no-node", "success"], paymentHash);
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  const looks = simulator.calls("CheckLightningPayment");
  await eventually(() => simulator.calls("CheckLightningPayment") > looks + 1, "a look that finds nothing");
  // As a look begins: one that is under way could have the tip of before and the time of afterwards.
  atNextLook = () => {
    atNextLook = () => {};
    simulator.mine(250);
    clock.leap(31_000);
  };
  await expectEnd(payment, "failed");
  expect(simulator.calls("InitiateLightningPayment")).toBe(1);
});

test("a payment that only an exit can end is the owner's to give up, once its HTLCs have expired", async () => {
  const { simulator, wallet } = await funded([10_000n]);
  simulator.lightning.setOutcome("never");
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 4_000n });
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  await payment.allowExit();
  simulator.faults.failNext("RequestLightningPayHtlcRevocation", Status.INTERNAL, 100_000);
  const required = nextEvent(wallet, "exit.required");
  simulator.mine(250);
  const { vtxos, byHeight } = await required;
  expect(byHeight).toBeGreaterThan(0);
  for (const id of vtxos) expect((await wallet.exitTransactions(id)).length).toBeGreaterThan(0);
  const { exitingSats, spendableSats } = wallet.balance();
  expect(exitingSats).toBeGreaterThan(4_000n);
  expect(await codeOfRefusal(payment.giveUp())).toBe("NOT_CANCELLABLE");
  simulator.mine(11);
  await payment.giveUp();
  await expect(payment.settled()).rejects.toMatchObject({ cause: { code: "GIVEN_UP" } });
  // Whether it was paid is not known, and with its preimage the server could take another payment of it.
  await expect(wallet.pay(bolt11)).rejects.toMatchObject({
    code: "INVOICE_PAID",
    message: expect.stringContaining("may have been paid all the same"),
  });
  expect(wallet.balance()).toMatchObject({ totalSats: spendableSats, spendableSats, exitingSats: 0n, pendingOutSats: 0n });
  expect(wallet.movements().at(-1)).toMatchObject({ status: "failed", effectiveBalanceSats: -exitingSats, exitedVtxos: vtxos });
  expectBooksToBalance(wallet.status());
});

test("a dust piece among the HTLCs keeps the others from neither their exit nor their revocation (S9, scenario 18)", async () => {
  const { simulator, wallet, expectEnd } = await funded([5_000n, 6_000n], { terms: { vtxoLifetime: 300 } });
  simulator.lightning.setOutcome("never");
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 5_100n });
  const payment = await wallet.pay(bolt11);
  await nextEvent(wallet, "payment.changed", ({ state }) => state === "PaymentInitiated");
  simulator.faults.failNext("RequestLightningPayHtlcRevocation", Status.INTERNAL, 100_000);
  const required = nextEvent(wallet, "exit.required");
  simulator.mine(285);
  const { vtxos } = await required;
  const dust = wallet.vtxos().filter(({ id, amountSats }) => vtxos.includes(id) && amountSats < 330n);
  expect([dust.length, vtxos.length]).toEqual([1, 2]);
  for (const id of vtxos) expect((await wallet.exitTransactions(id)).length).toBeGreaterThan(0);
  simulator.faults.clear();
  simulator.lightning.finish(payment.id.split("/")[1] ?? "", "failure");
  await expectEnd(payment, "failed");
});

test("two wallets of one server pay each other over Lightning; an invoice that was cancelled is given back (scenario 17)", async () => {
  const { simulator, wallet, expectEnd } = await funded([10_000n, 10_000n]);
  simulator.faults.lightning.dropNotices = false;
  const other = await openWallet({
    ...walletOptions(simulator, await freshDirectory(), OTHER_MNEMONIC),
    chain: fastChain(simulator),
    ports: { clock: new FastClock() },
  });
  await goLive(other);
  const [invoice, cancelled] = [await other.invoice({ amountSats: 4_000n }), await other.invoice({ amountSats: 3_000n })];
  const payment = await wallet.pay(invoice.bolt11);
  const [{ movement }, received] = await Promise.all([payment.settled(), invoice.payment.settled()]);
  const proof = received.movement.metadata.payment_preimage;
  expect(movement.metadata).toMatchObject({ payment_hash: invoice.paymentHash, payment_preimage: proof });
  expect(other.balance().totalSats).toBe(4_000n - invoice.feeSats);
  expect(await codeOfRefusal(wallet.pay(invoice.bolt11))).toBe("INVOICE_PAID");
  await other.cancelInvoice(cancelled.paymentHash);
  const refused = await wallet.pay(cancelled.bolt11);
  expect(await codeOfRefusal(refused.settled())).toBe("PAYMENT_FAILED");
  expect(other.balance().totalSats).toBe(4_000n - invoice.feeSats);
  expectBooksToBalance(other.status());
  await expectEnd(payment, "successful");
});

test("a package whose answer was lost, and which is refused when it is repeated, is recovered and given back (S7, scenario 20)", async () => {
  const { simulator, wallet, expectEnd } = await funded([10_000n], { fateOf: losingCosign() });
  const events = recorded(wallet);
  await expectEnd(await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11), "failed");
  expect(states(events)).toEqual(expect.arrayContaining(["Start", "Recovering", "RevocableHtlcs", "Revoked"]));
});

test("a package that the server made is recovered, however often it fails before (arkoor.md §11.3)", async () => {
  const { simulator, wallet, expectEnd } = await funded([10_000n], { fateOf: losingCosign() });
  const events = recorded(wallet);
  simulator.faults.failNext("RequestArkoorCosign", Status.INTERNAL, 8);
  await expectEnd(await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11), "failed");
  expect(simulator.calls("RequestArkoorCosign")).toBe(9);
  expect(states(events).at(-1)).toBe("Revoked");
  expect(wallet.balance()).toMatchObject({ spendableSats: 10_000n, exitingSats: 0n });
});

test("a package that was refused the first time leaves the inputs as they were, and the movement without any", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  simulator.faults.failNext("RequestLightningPayHtlcCosign", Status.INVALID_ARGUMENT);
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  expect(await codeOfRefusal(payment.settled())).toBe("PAYMENT_FAILED");
  expect(wallet.movements().at(-1)).toMatchObject({ status: "failed", inputVtxos: [], outputVtxos: [] });
  await expectEnd(payment, "failed");
});

test("a package that cannot be recovered keeps its inputs out of every payment (S7)", async () => {
  const { simulator, wallet } = await funded([10_000n], { fateOf: losingCosign() });
  simulator.faults.failNext("RequestArkoorCosign", Status.INVALID_ARGUMENT);
  const required = nextEvent(wallet, "exit.required");
  const payment = await wallet.pay(simulator.lightning.invoice({ amountSats: 4_000n }).bolt11);
  expect(await codeOfRefusal(payment.settled())).toBe("PAYMENT_FAILED");
  expect((await required).vtxos).toHaveLength(1);
  expect(wallet.balance()).toMatchObject({ totalSats: 10_000n, spendableSats: 0n, exitingSats: 10_000n });
  expectBooksToBalance(wallet.status());
});

test("fee and inputs of a quote hold for the payment that follows, whatever the server announces since (lightning.md §12)", async () => {
  const { simulator, wallet, expectEnd } = await funded();
  const { bolt11 } = simulator.lightning.invoice({ amountSats: 4_000n });
  const { feeSats, inputs } = await wallet.quote(bolt11);
  expect(await codeOfRefusal(wallet.pay(bolt11, { maxFeeSats: feeSats - 1n }))).toBe("FEE_TOO_HIGH");
  simulator.lightning.raiseFees(500n);
  await wallet.stop();
  await goLive(wallet);
  const payment = await wallet.pay(bolt11);
  expect(wallet.movements().at(-1)).toMatchObject({ feeSats, inputVtxos: inputs });
  await expectEnd(payment, "failed");
});

test("what cannot be paid is refused before any call", async () => {
  const { simulator, wallet, clock } = await funded();
  const { lightning } = simulator;
  const expired = lightning.invoice({ amountSats: 4_000n, expirySeconds: 60 }).bolt11;
  clock.leap(61_000);
  const foreign = lightning.invoice({ amountSats: 4_000n, network: "bitcoin" }).bolt11;
  const open = lightning.invoice().bolt11;
  const reasonOf = async (invoice: string, amountSats?: bigint) => {
    const error: unknown = await wallet
      .pay(invoice, amountSats === undefined ? {} : { amountSats })
      .catch((cause: unknown) => cause);
    return [codeOf(error), codeOf((error as Error).cause)];
  };
  expect(await reasonOf(expired)).toEqual(["BAD_INVOICE", "INVOICE_EXPIRED"]);
  expect(await reasonOf(foreign)).toEqual(["BAD_INVOICE", "INVOICE_WRONG_NETWORK"]);
  expect(await reasonOf(open)).toEqual(["BAD_INVOICE", "INVOICE_AMOUNT_REQUIRED"]);
  expect(await reasonOf("lno1abc")).toEqual(["BAD_INVOICE", "UNSUPPORTED_BOLT12"]);
  expect(await codeOfRefusal(wallet.pay(open, { amountSats: 50_000n }))).toBe("INSUFFICIENT_FUNDS");
  expect(wallet.payments()).toEqual([]);
});
