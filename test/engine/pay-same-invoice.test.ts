import { cp } from "node:fs/promises";
import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import type { Wallet } from "../../engine/index.ts";
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
  setUp,
  walletOptions,
} from "./helpers.ts";
import type { Fate } from "./payments/boundaries.ts";
import { funded, states } from "./payments/funded.ts";

// Who is told that an invoice is being paid, while it is not known what became of the own package for it (lightning.md S7).

const AMOUNT_SATS = 4_000n;

/** Another wallet that has 10,000 sat at the same server. */
async function somebodyElse(simulator: Simulator): Promise<Wallet> {
  const options = walletOptions(simulator, await freshDirectory(), OTHER_MNEMONIC);
  const other = await openWallet({ ...options, chain: fastChain(simulator), ports: { clock: new FastClock() } });
  await goLive(other);
  await simulator.pay(await other.address(), { amountsSats: [10_000n] });
  await eventually(() => other.balance().spendableSats === 10_000n, "the other one's money");
  return other;
}

test.each(["success", "failure"] as const)(
  "while somebody else pays the invoice, no HTLCs are made that the server could take as well: it meets %s",
  async (outcome) => {
    let isPaidElsewhere = false;
    let cosigns = 0;
    const fateOf = (method: string): Fate => {
      if (method !== "cosign") return "through";
      if (cosigns++ === 0) return "lost";
      return isPaidElsewhere ? "through" : "fails";
    };
    const { simulator, wallet } = await funded([10_000n], { fateOf });
    const other = await somebodyElse(simulator);
    simulator.lightning.setOutcome("never");
    const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: AMOUNT_SATS });
    const events = recorded(wallet);
    const payment = await wallet.pay(bolt11);
    await eventually(() => cosigns > 1, "a package whose answer is lost");
    const theirs = await other.pay(bolt11);
    await nextEvent(other, "payment.changed", ({ state }) => state === "PaymentInitiated");
    const waiting = nextEvent(wallet, "payment.changed", ({ code }) => code === "PAID_ELSEWHERE");
    isPaidElsewhere = true;
    expect(await waiting).toMatchObject({ state: "Recovering", status: "pending" });
    expect(simulator.calls("RequestArkoorCosign")).toBe(0);
    simulator.lightning.finish(paymentHash, outcome);
    expect(await codeOfRefusal(payment.settled())).toBe("PAYMENT_FAILED");
    await theirs.settled().catch(() => {});
    // Their package is whole, and not this one: it is to be exited, or given back at once.
    const kept =
      outcome === "success" ? { exitingSats: 10_000n, spendableSats: 0n } : { exitingSats: 0n, spendableSats: 10_000n };
    expect(wallet.balance()).toMatchObject({ totalSats: 10_000n, pendingOutSats: 0n, ...kept });
    expect(states(events).includes("Revoked")).toBe(outcome === "failure");
    expectBooksToBalance(wallet.status());
    expectBooksToBalance(other.status());
  },
);

test.each(["is under way", "succeeded"])(
  "an old copy whose package was completed since goes on with it, and keeps its change: the payment %s",
  async (progress) => {
    const { simulator, wallet, directory, options, address } = await setUp();
    await simulator.pay(address, { amountsSats: [10_000n] });
    await wallet.sync();
    await goLive(wallet);
    const isOver = progress === "succeeded";
    simulator.lightning.setOutcome(isOver ? "success" : "never");
    simulator.faults.failNext("RequestLightningPayHtlcCosign", Status.UNAVAILABLE, Number.POSITIVE_INFINITY);
    const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: AMOUNT_SATS });
    const { id } = await wallet.pay(bolt11);
    await wallet.close();
    const copy = `${directory}-copy`;
    await cp(directory, copy, { recursive: true });
    simulator.faults.clear();
    const ahead = await openWallet(options);
    const reached = nextEvent(ahead, "payment.changed", ({ state }) => state === (isOver ? "Settled" : "PaymentInitiated"));
    ahead.start();
    await reached;
    const { totalSats } = ahead.balance();
    await ahead.close();

    const old = await openWallet({ ...options, directory: copy });
    const stuck = nextEvent(old, "payment.changed", ({ state }) => state === (isOver ? "RevocableHtlcs" : "RevocationStuck"));
    old.start();
    await stuck;
    if (!isOver) simulator.lightning.finish(paymentHash, "success");
    await old.payment(id).settled();
    expect(old.balance()).toMatchObject({ totalSats, spendableSats: totalSats, exitingSats: 0n });
    expectBooksToBalance(old.status());
  },
);
