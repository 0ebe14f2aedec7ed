import { expect, test } from "vitest";
import { encodeUnknownMessage } from "../../simulator/index.ts";
import { freshDirectory, nextEvent, openWallet, simulate, walletOptions } from "./helpers.ts";

const DAY_MS = 86_400_000n;

test("what a stream holds back behind a short page is read all the same (mailbox.md §3.6)", async () => {
  const simulator = await simulate({ pageLimit: 3 });
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  const live = nextEvent(wallet, "connection.changed", ({ state }) => state === "Live");
  wallet.start();
  await live;
  const address = await wallet.address();
  const last = nextEvent(wallet, "payment.received", ({ amountSats }) => amountSats === 3_000n);
  simulator.faults.dropNotices = true; // the server tells of the last post only
  await simulator.pay(address, { amountsSats: [1_000n, 1_001n] });
  await simulator.pay(address, { amountsSats: [2_000n, 2_001n] });
  simulator.faults.dropNotices = false;
  await simulator.pay(address, { amountsSats: [3_000n] });
  await last;
  expect(wallet.balance().totalSats).toBe(9_002n);
});

test("a server cannot climb a day with each message (mailbox.md W-11)", async () => {
  const simulator = await simulate();
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  await wallet.sync();
  const address = await wallet.address();
  const nowMs = BigInt(Date.now());
  for (let day = 1n; day <= 60n; day++) {
    simulator.deliverRaw(address, () => encodeUnknownMessage((nowMs + day * (DAY_MS - 60_000n)) << 20n, 99, Uint8Array.of(1)));
  }
  await wallet.sync();
  expect(wallet.checkpoint() >> 20n).toBeLessThanOrEqual(BigInt(Date.now()) + DAY_MS);
});

test("an item that nobody can answer for does not hold up those after it", async () => {
  const simulator = await simulate();
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  await wallet.sync();
  const address = await wallet.address();
  simulator.deliver(address, [new Uint8Array(200).fill(7)]);
  await wallet.sync();
  await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  await wallet.sync();
  expect(wallet.quarantine()).toHaveLength(2);
  simulator.mine(1);
  simulator.faults.failNext("GetVtxo", undefined, 1_000);
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(7_000n);
});

test("entries that no honest server posts are kept without a question (mailbox.md W-39)", async () => {
  const simulator = await simulate({ pageLimit: 200 });
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  const live = nextEvent(wallet, "connection.changed", ({ state }) => state === "Live");
  wallet.start();
  await live;
  const garbage = Array.from({ length: 130 }, (_, i) => new Uint8Array(200).fill(i));
  const ignored = nextEvent(wallet, "message.ignored");
  simulator.deliver(await wallet.address(), garbage);
  await ignored;
  const codes = wallet.quarantine().map(({ code }) => code);
  expect(codes).toHaveLength(130);
  expect(codes.filter((code) => code === "TOO_MANY_ENTRIES")).toHaveLength(30);
  expect(simulator.calls("GetVtxo")).toBe(100);
});
