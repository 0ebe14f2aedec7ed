import { expect } from "vitest";
import { codeOf, type Payment, type WalletEvent } from "../../../engine/index.ts";
import type { Simulator, SimulatorOptions } from "../../../simulator/index.ts";
import { eventually, expectBooksToBalance, FastClock, simulate } from "../helpers.ts";
import type { Fate } from "./boundaries.ts";
import { MortalWallet } from "./mortal-wallet.ts";

/** Fast waits, and a time that leaps when it is told to. */
class LeapingClock extends FastClock {
  #leaptMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#leaptMs;
  }

  leap(byMs: number): void {
    this.#leaptMs += byMs;
  }
}

/** A live wallet with money, whose payments are told of by polls alone unless a test wants notices. */
export async function funded(
  amountsSats: readonly bigint[] = [10_000n],
  options: SimulatorOptions & { readonly fateOf?: (method: string, simulator: Simulator) => Fate } = {},
) {
  const clock = new LeapingClock();
  const { fateOf = () => "through", ...more } = options;
  const simulator = await simulate({ now: () => clock.nowMs(), ...more });
  const { wallet, end } = await new MortalWallet(simulator, clock).live((method) => fateOf(method, simulator));
  await simulator.pay(await wallet.address(), { amountsSats });
  await eventually(() => wallet.balance().spendableSats > 0n, "the money");
  simulator.faults.lightning.dropNotices = true;
  const totalSats = wallet.balance().totalSats;
  /** Ends the test: nothing is left over, and the wallet has lost what it paid and no more. */
  const expectEnd = async (payment: Payment, end_: "successful" | "failed") => {
    const outcome = await payment.settled().then(
      ({ movement }) => movement,
      (error: unknown) => codeOf(error),
    );
    expect(payment.status).toBe(end_);
    const spentSats =
      typeof outcome === "object" && outcome !== null ? -(outcome as { effectiveBalanceSats: bigint }).effectiveBalanceSats : 0n;
    expect(wallet.balance()).toMatchObject({ totalSats: totalSats - spentSats, lockedSats: 0n, pendingOutSats: 0n });
    expect(spentSats > 0n).toBe(end_ === "successful");
    expectBooksToBalance(wallet.status());
    await end();
  };
  return { simulator, wallet, clock, expectEnd };
}

/** The answer of the first cosign is lost; the server's tip is too far ahead for the next ones. */
export function losingCosign(): (method: string, simulator: Simulator) => Fate {
  let calls = 0;
  return (method, simulator) => {
    if (method !== "cosign") return "through";
    if (calls > 0) simulator.faults.lightning.tipAhead = 5;
    return calls++ === 0 ? "lost" : "through";
  };
}

export function states(events: readonly WalletEvent[]): string[] {
  return events.flatMap((event) => (event.type === "payment.changed" || event.type === "exit.required" ? [event.state] : []));
}
