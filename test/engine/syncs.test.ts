import { expect, test } from "vitest";
import type { Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import {
  eventually,
  expectBooksToBalance,
  fastOptions,
  freshDirectory,
  goLive,
  openWallet,
  type Setup,
  setUp,
  simulate,
} from "./helpers.ts";

const pay = ({ simulator, address }: Setup, ...amountsSats: bigint[]) => simulator.pay(address, { amountsSats });

test.each(["stopped", "live"] as const)(
  "syncs beside each other and beside a %s wallet credit everything once (mailbox.md M-54)",
  async (how) => {
    const setup = await setUp();
    const { simulator, wallet } = setup;
    if (how === "live") await goLive(wallet);
    // The stream hears of none of them by itself.
    simulator.faults.dropNotices = true;
    simulator.faults.pageLimit = 2;
    let last: bigint | null = 0n;
    for (const amount of [1_000n, 2_000n, 4_000n, 8_000n, 16_000n]) last = (await pay(setup, amount)).checkpoint;
    const results = await Promise.all([wallet.sync(), wallet.sync(), wallet.sync()]);
    expect(results.map(({ caughtUp, halted, checkpoint }) => [caughtUp, halted, checkpoint])).toEqual(
      Array(3).fill([true, null, last]),
    );
    expect(wallet.status()).toMatchObject({ counters: { packages: 5, messages: 5 }, balance: { totalSats: 31_000n } });
    expect(wallet.status().connection).toBe(how === "live" ? "Live" : "Stopped");
    expectBooksToBalance(wallet.status());
    // And the stream goes on from there.
    simulator.faults.dropNotices = false;
    if (how === "live") await pay(setup, 32_000n);
    if (how === "live") await eventually(() => wallet.balance().totalSats === 63_000n, "what the stream brings");
  },
);

test("a sync beside a live wallet tells of a halt, and fails while the server is away; the wallet goes on", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  await goLive(wallet);
  simulator.chain.setFault("down");
  const { checkpoint } = await pay(setup, 1_000n);
  expect(await wallet.sync()).toMatchObject({ caughtUp: false, halted: { checkpoint, code: "CHAIN_HTTP_STATUS" } });
  await simulator.takeDown();
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
  simulator.chain.setFault(null);
  await simulator.bringUp();
  await eventually(() => wallet.balance().totalSats === 1_000n, "the payment");
  expect(await wallet.sync()).toMatchObject({ caughtUp: true, halted: null });
});

test("a sync ends after as many pages as are allowed, and says that more remains (mailbox.md M-25)", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  simulator.faults.pageLimit = 2;
  for (let i = 0; i < 5; i++) await pay(setup, 1_000n);
  expect(await wallet.sync({ maxPages: 1 })).toMatchObject({ pages: 1, applied: 2, caughtUp: false, halted: null });
  expect(wallet.status().connection).toBe("Stopped");
  await goLive(wallet);
  await eventually(() => wallet.balance().totalSats === 5_000n, "the rest");
  simulator.faults.dropNotices = true;
  for (let i = 0; i < 3; i++) await pay(setup, 1_000n);
  expect(await wallet.sync({ maxPages: 1 })).toMatchObject({ pages: 1, applied: 2, caughtUp: false });
  expect(await wallet.sync()).toMatchObject({ pages: 2, applied: 1, caughtUp: true });
});

test("a wallet that is started during a sync follows the mailbox from its end on, and not after a stop", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  simulator.faults.delay("ReadMailbox", 100);
  const sync = wallet.sync();
  wallet.start();
  expect(await sync).toMatchObject({ caughtUp: true });
  await eventually(() => wallet.status().connection === "Live", "the stream");
  await pay(setup, 1_000n);
  await eventually(() => wallet.balance().totalSats === 1_000n, "what the stream brings");
  await wallet.stop();

  const again = wallet.sync();
  wallet.start();
  await wallet.stop();
  await again;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(wallet.status().connection).toBe("Stopped");
});

test("a sync beside a live wallet ends with its signal, whatever the stream waits for", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  await goLive(wallet);
  simulator.faults.delay("GetVtxoStatus", 60_000);
  const calls = simulator.calls("GetVtxoStatus");
  await pay(setup, 1_000n);
  await eventually(() => simulator.calls("GetVtxoStatus") > calls, "the vetting");
  const signal = AbortSignal.timeout(50);
  await expect(wallet.sync({ signal })).rejects.toMatchObject({ name: "TimeoutError" });
});

test.each(["its signal", "a close"])(
  "a sync that reads the notices behind a halt from a slow server ends with %s",
  async (end) => {
    const simulator = await simulate();
    let reads = Number.NEGATIVE_INFINITY;
    let isReading = (): void => {};
    const readingOn = new Promise<void>((resolve) => (isReading = resolve));
    const transport: Transport = async (given) => {
      const session = await defaultPorts.transport(given);
      const read = session.readMailbox.bind(session);
      session.readMailbox = (from, call) => {
        // The page of the package, the package as a whole, then what is behind it.
        if (++reads > 2) {
          simulator.faults.delay("ReadMailbox", 60_000);
          isReading();
        }
        return read(from, call);
      };
      return session;
    };
    const open = fastOptions(simulator, await freshDirectory());
    const wallet = await openWallet({ ...open, ports: { ...open.ports, transport } });
    await wallet.sync();
    simulator.chain.setFault("down");
    await simulator.pay(await wallet.address(), { amountsSats: [1_000n] });
    reads = 0;
    const ended = new AbortController();
    const sync = wallet.sync({ signal: ended.signal });
    const outcome = sync.then(
      () => "ended",
      (error: unknown) => error,
    );
    await readingOn;
    if (end === "a close") await wallet.close();
    else ended.abort();
    expect(await outcome).toBe(end === "a close" ? "ended" : ended.signal.reason);
  },
);
