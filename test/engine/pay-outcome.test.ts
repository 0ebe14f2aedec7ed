import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { decodeHex } from "../../ark/hex.ts";
import type { Logger, Payment } from "../../engine/index.ts";
import {
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  FastClock,
  fastOptions,
  freshDirectory,
  goLive,
  nextEvent,
  openWallet,
  simulate,
} from "./helpers.ts";

/** A speed at which no poll ever comes. */
const STANDING = 0.001;

/** A live wallet with money on a simulator that ends no payment by itself. */
async function paying(speed?: number) {
  const simulator = await simulate();
  const options = fastOptions(simulator, await freshDirectory());
  const first = await openWallet(options);
  await first.sync();
  const address = await first.address();
  await simulator.pay(address, { amountsSats: [5_000n, 5_000n, 5_000n] });
  await first.sync();
  await first.close();
  const told: string[] = [];
  const logger: Logger = (_, message) => void told.push(message);
  const wallet = await openWallet({ ...options, ports: { clock: new FastClock(speed), logger } });
  await goLive(wallet);
  simulator.lightning.setOutcome("never");
  /** A payment that the server was asked about once, without an answer that ends it. */
  const begun = async (): Promise<{ payment: Payment; paymentHash: string }> => {
    const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: 1_000n });
    const looks = simulator.calls("CheckLightningPayment");
    const payment = await wallet.pay(bolt11);
    await eventually(() => simulator.calls("CheckLightningPayment") > looks, "the first look");
    return { payment, paymentHash };
  };
  const notice = (paymentHash: string, preimage?: Uint8Array) =>
    simulator.deliverMessage(address, {
      $case: "lightningSendFinished",
      value: { paymentHash: decodeHex(paymentHash), preimage },
    });
  return { simulator, wallet, told, begun, notice };
}

test("notices end payments without any poll: with the preimage, and without one by asking the server (mailbox.md M-60)", async () => {
  const { simulator, wallet, told, begun, notice } = await paying(STANDING);
  const { lightning } = simulator;
  const paid = await begun();
  lightning.finish(paid.paymentHash, "success");
  await paid.payment.settled();
  const failed = await begun();
  lightning.finish(failed.paymentHash, "failure");
  expect(await codeOfRefusal(failed.payment.settled())).toBe("PAYMENT_FAILED");

  // Neither a preimage that is none, nor a wrong one, says that a payment failed: the server says that it succeeded.
  simulator.faults.lightning.dropNotices = true;
  for (const [preimage, complaint] of [
    [new Uint8Array(31), "preimage of 32 bytes"],
    [new Uint8Array(32), "the preimage of another hash"],
  ] as const) {
    const { payment, paymentHash } = await begun();
    notice(paymentHash, preimage);
    await eventually(() => told.some((message) => message.includes(complaint)), "a word on the notice");
    expect(payment.status).toBe("pending");
    lightning.finish(paymentHash, "success");
    notice(paymentHash, preimage);
    await payment.settled();
  }

  expect(told.join()).not.toContain("does not know");
  notice("ab".repeat(32), new Uint8Array(32));
  await eventually(() => told.some((message) => message.includes("does not know")), "a word on an unknown payment");
  expectBooksToBalance(wallet.status());
});

test("a server that says nothing of a payment leaves it open until its HTLCs expire (mailbox.md M-63)", async () => {
  const { simulator, wallet, begun } = await paying();
  const { faults } = simulator;
  const { payment } = await begun();
  faults.failNext("CheckLightningPayment", Status.UNAVAILABLE, 10_000);
  const looks = simulator.calls("CheckLightningPayment");
  await eventually(() => simulator.calls("CheckLightningPayment") > looks + 3, "looks without an answer");
  expect(simulator.calls("RequestLightningPayHtlcRevocation")).toBe(0);
  expect(payment.status).toBe("pending");
  const givenUp = nextEvent(wallet, "payment.changed", ({ state }) => state === "RevocableHtlcs");
  simulator.mine(262);
  await givenUp;
  faults.clear();
  expect(await codeOfRefusal(payment.settled())).toBe("PAYMENT_FAILED");
  expectBooksToBalance(wallet.status());
});
