import { expect, test } from "vitest";
import type { Wallet } from "../../engine/index.ts";
import {
  eventually,
  expectBooksToBalance,
  FastClock,
  freshDirectory,
  goLive,
  OTHER_MNEMONIC,
  openWallet,
  type Setup,
  setUp,
  walletOptions,
} from "./helpers.ts";

/** A wallet with money, and another one on the same server, both live. */
async function twoWallets(amountsSats: readonly bigint[]): Promise<Setup & { readonly other: Wallet }> {
  const setup = await setUp();
  await setup.simulator.pay(setup.address, { amountsSats });
  await setup.wallet.sync();
  const directory = await freshDirectory();
  const options = { ...walletOptions(setup.simulator, directory, OTHER_MNEMONIC), ports: { clock: new FastClock() } };
  const other = await openWallet(options);
  await Promise.all([goLive(setup.wallet), goLive(other)]);
  return { ...setup, other };
}

test("two wallets pay each other: the sum moves, the change comes back in two pieces, and both books balance", async () => {
  const { wallet, other } = await twoWallets([10_000n, 3_000n]);
  const payment = await wallet.send(await other.address(), 4_000n);
  const { movement } = await payment.settled();
  expect(payment.status).toBe("successful");
  expect(movement).toMatchObject({
    subsystem: { name: "bark.arkoor", kind: "send" },
    status: "successful",
    intendedBalanceSats: -4_000n,
    effectiveBalanceSats: -4_000n,
    feeSats: 0n,
    sentTo: [{ destination: await other.address(), amountSats: 4_000n }],
  });
  expect(wallet.balance()).toMatchObject({ totalSats: 9_000n, spendableSats: 9_000n, lockedSats: 0n });
  await eventually(() => other.balance().spendableSats === 4_000n, "the payment");

  const back = await other.send(await wallet.address({ fresh: true }), 1_500n);
  await back.settled();
  await eventually(() => wallet.balance().spendableSats === 10_500n, "what was paid back");
  expect(other.balance()).toMatchObject({ totalSats: 2_500n, spendableSats: 2_500n });
  for (const one of [wallet, other]) expectBooksToBalance(one.status());
});
