import { expect, test } from "vitest";
import { addressOf, eventually, FastClock, fastOptions, freshDirectory, MNEMONIC, openWallet, simulate } from "./helpers.ts";

/** A clock that fails a search for an owner where it lets others have their turn, as a table of keys might fail. */
class FailingSearch extends FastClock {
  isFailing = false;
  override after(delayMs: number, callback: () => void): () => void {
    if (this.isFailing && delayMs === 0) throw new Error("expected a key, got a failure");
    return super.after(delayMs, callback);
  }
}

test('a search for the owner that fails is not "not ours": the package halts, and is credited when the search works (mailbox.md W-2)', async () => {
  const simulator = await simulate();
  const clock = new FailingSearch();
  const wallet = await openWallet(fastOptions(simulator, await freshDirectory(), clock));
  await wallet.sync();
  // So far ahead that the search takes more than one step.
  const { checkpoint } = await simulator.pay(addressOf(simulator, MNEMONIC, 60), { amountsSats: [1_000n] });
  clock.isFailing = true;
  expect(await wallet.sync()).toMatchObject({ halted: { checkpoint } });
  expect(wallet.status()).toMatchObject({ checkpoint: 0n, quarantine: [], balance: { totalSats: 0n } });
  clock.isFailing = false;
  await wallet.sync();
  await eventually(() => wallet.balance().spendableSats === 1_000n, "the payment");
  expect(wallet.status()).toMatchObject({ checkpoint, quarantine: [] });
});
