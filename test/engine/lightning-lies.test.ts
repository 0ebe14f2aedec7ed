import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import type { PaymentReport } from "../../streams/lightning-send.ts";
import { openSession } from "../../streams/session.ts";
import {
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  fastOptions,
  goLive,
  nextEvent,
  openWallet,
  recorded,
  setUp,
} from "./helpers.ts";
import { states } from "./payments/funded.ts";

// What a malicious or broken server can try (lightning.md §12), where a check of one message alone does not show it.

const AMOUNT_SATS = 4_000n;

/** A live wallet with 10,000 sat; `lie` stands in for the server's word on a payment as long as it gives one. */
async function live(lie: () => PaymentReport | undefined = () => undefined) {
  const setup = await setUp();
  const { simulator, address } = setup;
  await simulator.pay(address, { amountsSats: [10_000n] });
  await setup.wallet.sync();
  await setup.wallet.close();
  const { ports, ...options } = fastOptions(simulator, setup.directory);
  const transport = async (...given: Parameters<typeof openSession>) => {
    const session = await openSession(...given);
    const { check } = session.lightningSend;
    session.lightningSend.check = async (...asked) => lie() ?? check.apply(session.lightningSend, asked);
    return session;
  };
  const wallet = await openWallet({ ...options, ports: { ...ports, transport } });
  await goLive(wallet);
  const { faults, lightning } = simulator;
  const reached = (state: string) => nextEvent(wallet, "payment.changed", (event) => event.state === state);
  return { ...setup, wallet, faults, lightning, reached };
}

test("a server that comes back with another key gets no further call of a payment; with its own the payment ends", async () => {
  const { simulator, wallet, faults, lightning, reached } = await live();
  lightning.setOutcome("never");
  const initiated = reached("PaymentInitiated");
  const payment = await wallet.pay(lightning.invoice({ amountSats: AMOUNT_SATS }).bolt11);
  await initiated;
  const stopped = nextEvent(wallet, "connection.changed", ({ state }) => state === "Stopped");
  faults.arkInfo = { serverPubkey: simulator.arkInfo.mailboxPubkey ?? new Uint8Array() };
  faults.cutStreams();
  expect(await stopped).toMatchObject({ code: "SERVER_KEY_CHANGED" });
  const calls = () => [simulator.calls("CheckLightningPayment"), simulator.calls("RequestLightningPayHtlcRevocation")];
  const before = calls();
  expect(await codeOfRefusal(wallet.pay(lightning.invoice({ amountSats: 1_000n }).bolt11))).toBe("NOT_CONNECTED");
  lightning.finish(payment.id.split("/")[1] ?? "", "success");
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_KEY_CHANGED" });
  expect([calls(), payment.status]).toEqual([before, "pending"]);
  faults.clear();
  await wallet.sync();
  await payment.settled();
});

test("a server that calls a payment failed while it pays gains nothing by it: the success settles", async () => {
  let report: PaymentReport | undefined;
  const { simulator, wallet, faults, lightning, reached } = await live(() => report);
  faults.lightning.dropNotices = true;
  lightning.setOutcome("never");
  const [initiated, stuck] = [reached("PaymentInitiated"), reached("RevocationStuck")];
  const { bolt11, paymentHash } = lightning.invoice({ amountSats: AMOUNT_SATS });
  const payment = await wallet.pay(bolt11);
  await initiated;
  report = { state: "failed" };
  await stuck;
  expect(simulator.calls("RequestLightningPayHtlcRevocation")).toBeGreaterThan(0);
  expect(wallet.balance().pendingOutSats).toBeGreaterThan(AMOUNT_SATS);
  lightning.finish(paymentHash, "success");
  report = undefined;
  const { movement } = await payment.settled();
  expect(movement.metadata).toMatchObject({ payment_hash: paymentHash, payment_preimage: expect.any(String) });
  expect(await codeOfRefusal(wallet.pay(bolt11))).toBe("INVOICE_PAID");
  expectBooksToBalance(wallet.status());
});

test.each(["HTLCs", "a revocation"])(
  "wrong signatures for %s finish nothing and spend nothing; the right ones do",
  async (what) => {
    const { wallet, faults, lightning, reached } = await live();
    const isRevocation = what === "a revocation";
    lightning.setOutcome(isRevocation ? "never" : "success");
    const events = recorded(wallet);
    const initiated = reached("PaymentInitiated");
    faults.lightning.wrongSignatures = !isRevocation;
    const { bolt11, paymentHash } = lightning.invoice({ amountSats: AMOUNT_SATS });
    const payment = await wallet.pay(bolt11);
    const delayed = nextEvent(wallet, "payment.changed", ({ code }) => code === "ARKOOR_INVALID_PARTIAL_SIGNATURE");
    if (isRevocation) {
      await initiated;
      faults.lightning.wrongSignatures = true;
      lightning.finish(paymentHash, "failure");
    }
    await delayed;
    expect(states(events).at(-1)).toBe(isRevocation ? "RevocationStuck" : "Start");
    const { spendableSats, lockedSats, pendingOutSats } = wallet.balance();
    expect(spendableSats + lockedSats + pendingOutSats).toBe(10_000n);
    faults.clear();
    await payment.settled().catch(() => {});
    expect(payment.status).toBe(isRevocation ? "failed" : "successful");
    if (isRevocation) expect(wallet.balance()).toMatchObject({ totalSats: 10_000n, spendableSats: 10_000n });
    expectBooksToBalance(wallet.status());
  },
);

test("once the preimage may be out, wrong signatures are asked for again, and nobody asks whether the payment was cancelled", async () => {
  const { simulator, wallet, faults, lightning, reached } = await live();
  faults.lightning.wrongSignatures = true;
  const invoice = await wallet.invoice({ amountSats: AMOUNT_SATS });
  const revealed = reached("PreimageRevealed");
  lightning.pay(invoice.bolt11);
  await revealed;
  const looks = simulator.calls("CheckLightningReceive");
  await eventually(() => simulator.calls("ClaimLightningReceive") > 5, "claims in vain");
  faults.failNext("CheckLightningReceive", Status.NOT_FOUND, Number.POSITIVE_INFINITY);
  expect(simulator.calls("CheckLightningReceive")).toBe(looks);
  expect(invoice.payment.status).toBe("pending");
  expect(wallet.vtxos().filter(({ state }) => state === "locked")).toHaveLength(1);
  faults.lightning.wrongSignatures = false;
  const { movement } = await invoice.payment.settled();
  expect(wallet.balance().totalSats).toBe(10_000n + movement.effectiveBalanceSats);
  expect(simulator.calls("CheckLightningReceive")).toBe(looks);
});
