import { expect, test } from "vitest";
import type { Logger } from "../../engine/index.ts";
import { freshDirectory, nextEvent, openWallet, simulate, walletOptions } from "./helpers.ts";

// Pages of four rows: a package of two and then one of three leave the second one cut.
const PAGE_ROWS = 4;

test("a package cut at the end of a page is credited whole by a sync (mailbox.md W-6)", async () => {
  const simulator = await simulate({ pageLimit: PAGE_ROWS });
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  await wallet.sync();
  const address = await wallet.address();
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n] });
  await simulator.pay(address, { amountsSats: [3_000n, 4_000n, 5_000n] });
  expect(await wallet.sync()).toMatchObject({ applied: 2, caughtUp: true });
  expect(wallet.balance().totalSats).toBe(15_000n);
  expect(wallet.movements().map(({ effectiveBalanceSats }) => effectiveBalanceSats)).toEqual([3_000n, 12_000n]);
});

test.each([
  [2, 1],
  [4, 0],
])("the owner is told once where pages of %i are filled by a package of three (mailbox.md W-6)", async (pageLimit, times) => {
  const simulator = await simulate({ pageLimit });
  const told: string[] = [];
  const logger: Logger = (_level, message) => void told.push(message);
  const wallet = await openWallet({ ...walletOptions(simulator, await freshDirectory()), ports: { logger } });
  await wallet.sync();
  const address = await wallet.address();
  for (const sats of [1_000n, 2_000n]) await simulator.pay(address, { amountsSats: [sats, sats, sats] });
  await wallet.sync();
  expect(told.filter((message) => message.includes("pages of the server"))).toHaveLength(times);
});

test.each([
  [99, 1],
  [100, 0],
])(
  "a page of %i VTXOs that one package fills is doubted %i times: no package of a server has more than 100",
  async (pageLimit, times) => {
    const simulator = await simulate({ pageLimit });
    const told: string[] = [];
    const logger: Logger = (_level, message) => void told.push(message);
    const wallet = await openWallet({ ...walletOptions(simulator, await freshDirectory()), ports: { logger } });
    await wallet.sync();
    const entries = (first: number) => Array.from({ length: pageLimit }, (_, i) => Uint8Array.of(first, i));
    for (const first of [1, 2]) simulator.deliver(await wallet.address(), entries(first));
    await wallet.sync();
    expect(told.filter((message) => message.includes("pages of the server"))).toHaveLength(times);
  },
);

test("a package cut inside the stream is credited whole (mailbox.md W-6)", async () => {
  const simulator = await simulate({ pageLimit: PAGE_ROWS });
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  const live = nextEvent(wallet, "connection.changed", ({ state }) => state === "Live");
  wallet.start();
  await live;
  const address = await wallet.address();
  const first = await simulator.createPackage(address, { amountsSats: [1_000n, 2_000n] });
  const second = await simulator.createPackage(address, { amountsSats: [3_000n, 4_000n, 5_000n] });
  const received = nextEvent(wallet, "payment.received", ({ amountSats }) => amountSats === 12_000n);
  simulator.faults.dropNotices = true; // so that both are read as one page
  await simulator.post(address, first);
  simulator.faults.dropNotices = false;
  await simulator.post(address, second);
  await received;
  expect(wallet.balance().totalSats).toBe(15_000n);
  expect(wallet.quarantine()).toEqual([]);
});
