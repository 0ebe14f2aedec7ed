import { expect, test } from "vitest";
import { codeOf, type Payment, type Wallet } from "../../engine/index.ts";
import { eventually, expectBooksToBalance, simulate } from "./helpers.ts";
import type { Fate } from "./payments/boundaries.ts";
import { MortalWallet } from "./payments/mortal-wallet.ts";

const AMOUNT_SATS = 4_000n;

/** How a payment ended. */
async function endOf(payment: Payment): Promise<"successful" | "failed"> {
  try {
    await payment.settled();
    return "successful";
  } catch (error) {
    if (codeOf(error) !== "PAYMENT_FAILED") throw error;
    return "failed";
  }
}

/** Dies at the n-th call; the others go through. */
function dyingAt(n: number, how: Fate): () => Fate {
  let call = 0;
  return () => (call++ === n ? how : "through");
}

function total(wallet: Wallet): bigint {
  return wallet.balance().totalSats;
}

test.each([
  ["success", "dies before"],
  ["success", "dies after"],
  ["failure", "dies before"],
  ["failure", "dies after"],
] as const)(
  "a payment that meets %s ends as it should, whatever call its process %s",
  { timeout: 120_000 },
  async (outcome, how) => {
    const simulator = await simulate();
    const mortal = new MortalWallet(simulator);
    const beginning = await mortal.live();
    await simulator.pay(await beginning.wallet.address(), { amountsSats: new Array(16).fill(10_000n) });
    await eventually(() => beginning.wallet.balance().spendableSats === 160_000n, "the money");
    await eventually(() => beginning.wallet.status().openCommands === 0, "every registration");
    await beginning.end();
    // Polls find what becomes of it: the calls are the same each time.
    simulator.faults.lightning.dropNotices = true;
    simulator.lightning.setOutcome(outcome);
    let isOver = false;
    for (let call = 0; !isOver; call++) {
      const { bolt11, paymentHash } = simulator.lightning.invoice({ amountSats: AMOUNT_SATS });
      const first = await mortal.live(dyingAt(call, how));
      const before = total(first.wallet);
      const payment = await first.wallet.pay(bolt11);
      isOver =
        (await Promise.race([
          first.death,
          payment.settled().then(
            () => "ended",
            () => "ended",
          ),
        ])) === "ended";
      await first.end();

      const second = await mortal.live();
      const [reached, again] = [await endOf(second.wallet.payment(payment.id)), second.wallet];
      expect(reached, `after a death at call ${call}`).toBe(outcome === "success" ? "successful" : "failed");
      const { feeSats } = again.movements().find(({ metadata }) => metadata.payment_hash === paymentHash) ?? { feeSats: 0n };
      expect(before - total(again)).toBe(outcome === "success" ? AMOUNT_SATS + feeSats : 0n);
      expect(again.balance()).toMatchObject({ lockedSats: 0n, pendingOutSats: 0n, exitingSats: 0n });
      expect(simulator.lightning.payments(paymentHash).filter(({ status }) => status === "succeeded").length).toBe(
        outcome === "success" ? 1 : 0,
      );
      expectBooksToBalance(again.status());
      await second.end();
    }
    expect(mortal.nonces.reused).toEqual([]);
    expect(mortal.unbalanced).toEqual([]);
  },
);
