import { expect, test } from "vitest";
import { Heartwood } from "../../engine/index.ts";
import { freshDirectory, nextEvent, openWallet, simulate, walletOptions } from "./helpers.ts";

test("a payment that waited in the mailbox is credited once by a sync, and is there after reopening", async () => {
  const simulator = await simulate();
  const directory = await freshDirectory();
  const wallet = await openWallet(walletOptions(simulator, directory));
  await wallet.sync();
  const address = await wallet.address();
  const payment = await simulator.pay(address, { amountsSats: [21_000n, 4_000n] });

  const result = await wallet.sync();
  expect(result).toMatchObject({ messages: 1, applied: 1, halted: null, caughtUp: true, checkpoint: payment.checkpoint });
  expect(wallet.balance()).toMatchObject({ totalSats: 25_000n, spendableSats: 25_000n });
  expect(wallet.movements()).toHaveLength(1);
  expect(wallet.status().openCommands).toBe(0);
  await wallet.close();

  const status = await Heartwood.read(directory);
  expect(status.checkpoint).toBe(payment.checkpoint);
  expect(status.balance.totalSats).toBe(25_000n);
});

test("a live wallet credits a payment as it is posted", async () => {
  const simulator = await simulate();
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  const live = nextEvent(wallet, "connection.changed", ({ state }) => state === "Live");
  wallet.start();
  await live;
  const received = nextEvent(wallet, "payment.received");
  const payment = await simulator.pay(await wallet.address(), { amountsSats: [5_000n] });
  expect(await received).toMatchObject({ checkpoint: payment.checkpoint, amountSats: 5_000n, fromQuarantine: false });
});
