import { expect, test } from "vitest";
import { type ChainSource, esplora, Heartwood, type WalletEvent } from "../../engine/index.ts";
import {
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  fastChain,
  fastOptions,
  freshDirectory,
  goLive,
  logOf,
  nextEvent,
  openWallet,
  recorded,
  setUp,
  simulate,
} from "./helpers.ts";

/** Exit delta 144 of the simulated server, and a margin of 12 for an exit of a few hops. */
const EXIT_BLOCKS = 156;
/** With the 12 blocks that a VTXO should be renewed before that, off mainnet. */
const WARN_BLOCKS = EXIT_BLOCKS + 12;

const stagesOf = (event: WalletEvent | undefined) =>
  event?.type === "vtxo.expiring" ? event.vtxos.map(({ stage }) => stage) : [];
const notices = (events: readonly WalletEvent[]) => events.filter(({ type }) => type === "vtxo.expiring");

test("a VTXO is warned of once at each stage, in one record for all, and stops being spendable at its expiry height", async () => {
  const { simulator, directory, wallet, address } = await setUp();
  const events = recorded(wallet);
  const { tip } = simulator.chain;
  await simulator.pay(address, { amountsSats: [5_000n, 3_000n], expiryHeight: tip + WARN_BLOCKS + 1 });
  await wallet.sync();
  expect(notices(events)).toEqual([]);
  expect(await wallet.expiring()).toEqual([]);

  simulator.mine();
  await wallet.sync();
  await wallet.sync();
  expect(notices(events)).toMatchObject([{ tipHeight: tip + 1 }]);
  expect(stagesOf(notices(events)[0])).toEqual(["refresh", "refresh"]);
  expect(wallet.balance()).toMatchObject({ spendableSats: 8_000n, expiredSats: 0n });
  expect(wallet.vtxos().map(({ state, expiryStage }) => [state, expiryStage])).toEqual([
    ["spendable", "refresh"],
    ["spendable", "refresh"],
  ]);

  simulator.mine(12);
  await wallet.sync();
  expect(stagesOf(notices(events)[1])).toEqual(["exit", "exit"]);

  simulator.mine(EXIT_BLOCKS - 1);
  await wallet.sync();
  expect(notices(events)).toHaveLength(2);
  expect(wallet.balance().spendableSats).toBe(8_000n);
  simulator.mine();
  await wallet.sync();
  await wallet.sync();
  expect(stagesOf(notices(events)[2])).toEqual(["expired", "expired"]);
  expect(notices(events)).toHaveLength(3);
  expect(wallet.balance()).toMatchObject({ totalSats: 8_000n, spendableSats: 0n, expiredSats: 8_000n });
  expectBooksToBalance(wallet.status());
  expect((await wallet.expiring()).map(({ blocksLeft, estimatedAtMs, stage }) => [blocksLeft, estimatedAtMs, stage])).toEqual([
    [0, null, "expired"],
    [0, null, "expired"],
  ]);

  await wallet.close();
  const read = await Heartwood.read(directory);
  expect(read.vtxos.map(({ state }) => state)).toEqual(["expired", "expired"]);
  expect(read.balance.expiredSats).toBe(8_000n);
});

test("a sync looks at the tip of its moment, although the chain source remembers one for a second", async () => {
  const simulator = await simulate();
  const chain = esplora(simulator.chainUrl, { tipCacheMs: 60_000 });
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain });
  await wallet.sync();
  const expiryHeight = simulator.chain.tip + WARN_BLOCKS + 1;
  await simulator.pay(await wallet.address(), { amountsSats: [5_000n], expiryHeight });
  await wallet.sync();
  simulator.mine();
  await wallet.sync();
  expect(wallet.vtxos().map(({ expiryStage }) => expiryStage)).toEqual(["refresh"]);
});

test("expiring tells how long is left at the tip of this moment, within a margin that the caller gives", async () => {
  const { simulator, wallet, address } = await setUp();
  const { tip } = simulator.chain;
  await simulator.pay(address, { amountsSats: [4_000n], expiryHeight: tip + 1_000 });
  await simulator.pay(address, { amountsSats: [2_000n], expiryHeight: tip + 500 });
  await wallet.sync();
  simulator.mine(100);
  const before = Date.now();
  expect(await wallet.expiring({ withinBlocks: 399 })).toEqual([]);
  const [next, ...others] = await wallet.expiring({ withinBlocks: 400 });
  expect(others).toEqual([]);
  expect(next).toMatchObject({ amountSats: 2_000n, expiryHeight: tip + 500, blocksLeft: 400, stage: null });
  const inMs = (next?.estimatedAtMs ?? 0) - before;
  expect(inMs).toBeGreaterThanOrEqual(400 * 600_000);
  expect(inMs).toBeLessThan(400 * 600_000 + 60_000);
  expect((await wallet.expiring({ withinBlocks: 900 })).map(({ amountSats }) => amountSats)).toEqual([2_000n, 4_000n]);
  expect(await codeOfRefusal(wallet.expiring({ withinBlocks: -1 }))).toBe("BAD_OPTION");
  simulator.chain.setFault("down");
  expect(await codeOfRefusal(wallet.expiring())).toBe("CHAIN_HTTP_STATUS");
});

test("a connected wallet warns as blocks come, without a record for a block that changes nothing", async () => {
  const { simulator, directory, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n], expiryHeight: simulator.chain.tip + WARN_BLOCKS + 5 });
  await wallet.sync();
  await goLive(wallet);
  const warned = nextEvent(wallet, "vtxo.expiring");
  const before = wallet.status().records;
  for (let block = 0; block < 5; block++) {
    simulator.mine();
    // The clock of this wallet polls every 60 ms.
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  const { seq, vtxos } = await warned;
  expect(vtxos).toMatchObject([{ amountSats: 5_000n, blocksLeft: WARN_BLOCKS, stage: "refresh" }]);
  expect(seq).toBe(before + 1n);
  await wallet.close();
  expect((await logOf(directory)).seq).toBeLessThanOrEqual(seq + 2n);
});

test("a tip that was too high is taken back once it is clearly lower, and not for a short reorganisation", async () => {
  const { simulator, wallet, address, options } = await setUp();
  const { tip } = simulator.chain;
  const expiryHeight = tip + 1_000;
  await simulator.pay(address, { amountsSats: [5_000n], expiryHeight });
  await wallet.sync();
  await wallet.close();
  let height = expiryHeight;
  const source = fastChain(simulator);
  const chain: ChainSource = {
    tip: async () => ({ kind: "found", value: { height } }),
    transaction: (txid, question) => source.transaction(txid, question),
    status: (txid, question) => source.status(txid, question),
    outspend: (txid, vout, question) => source.outspend(txid, vout, question),
    blockHash: (at, question) => source.blockHash(at, question),
  };
  await using lied = await Heartwood.open({ ...options, chain });
  const events = recorded(lied);
  await lied.sync();
  expect(lied.balance()).toMatchObject({ spendableSats: 0n, expiredSats: 5_000n });
  height = expiryHeight - 6;
  await lied.sync();
  expect(lied.balance()).toMatchObject({ spendableSats: 0n, expiredSats: 5_000n });
  height = tip;
  await lied.sync();
  expect(lied.balance()).toMatchObject({ spendableSats: 5_000n, expiredSats: 0n });
  expect(notices(events).map(stagesOf)).toEqual([["expired"], [null]]);
});

test("a connected wallet warns as blocks come, whatever a server makes of held items", async () => {
  const { simulator, wallet, address } = await setUp();
  const { tip } = simulator.chain;
  await simulator.pay(address, { amountsSats: [5_000n], expiryHeight: tip + WARN_BLOCKS + 2 });
  await simulator.pay(address, { amountsSats: [3_000n], unconfirmedAnchor: true });
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ code: "ANCHOR_UNCONFIRMED" }]);
  simulator.mine();
  const calls = simulator.calls("GetVtxoStatus");
  simulator.faults.delay("GetVtxoStatus", 60_000);
  await goLive(wallet);
  await eventually(() => simulator.calls("GetVtxoStatus") > calls, "the question about the held item");
  simulator.mine();
  await eventually(() => wallet.vtxos().some(({ expiryStage }) => expiryStage === "refresh"), "the warning");
  simulator.faults.delay("GetVtxoStatus", 0);
});
