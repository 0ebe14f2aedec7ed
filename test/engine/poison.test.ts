import { expect, test } from "vitest";
import { ChainError } from "../../chain/errors.ts";
import type { ChainSource } from "../../chain/source.ts";
import type { Transport, Wallet } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { StreamError } from "../../streams/errors.ts";
import { expectBooksToBalance, FastClock, fastChain, fastOptions, freshDirectory, openWallet, simulate } from "./helpers.ts";

const MINUTE_MS = 60_000;

/** The system's clock, put forward. */
class LateClock extends FastClock {
  lateMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.lateMs;
  }
}

/** A wallet whose server and chain source answer about everything but some VTXOs and some transactions. */
async function setUpPoisonable() {
  const simulator = await simulate();
  const clock = new LateClock();
  const silent = new Set<string>();
  const real = fastChain(simulator);
  const chain: ChainSource = {
    tip: (options) => real.tip(options),
    blockHash: (height, options) => real.blockHash(height, options),
    status: (txid, options) => real.status(txid, options),
    outspend: (txid, vout, options) => real.outspend(txid, vout, options),
    transaction: async (txid, options) =>
      silent.has(txid)
        ? { kind: "unknown", error: new ChainError("CHAIN_TXID_MISMATCH", "other bytes", { retryable: true }) }
        : real.transaction(txid, options),
  };
  const transport: Transport = async (options) => {
    const session = await defaultPorts.transport(options);
    const ask = session.getVtxoStatus.bind(session);
    session.getVtxoStatus = async (id, attestation, call) => {
      if (silent.has(id)) throw new StreamError("SERVER_FAILED", "this one always fails", { retryable: true });
      return ask(id, attestation, call);
    };
    return session;
  };
  const open = { ...fastOptions(simulator, await freshDirectory(), clock), chain, ports: { clock, transport } };
  const wallet = await openWallet(open);
  await wallet.sync();
  return { simulator, clock, silent, wallet, address: await wallet.address(), open };
}

/** Syncs once in a while. */
async function syncFor({ wallet, clock }: { wallet: Wallet; clock: LateClock }, times: number, everyMs: number) {
  for (let i = 0; i < times; i++) {
    await wallet.sync();
    clock.lateMs += everyMs;
  }
}

test.each([
  ["chain", "CHAIN_TXID_MISMATCH", "with a VTXO at hand"],
  ["server", "SERVER_FAILED", "in an empty wallet"],
] as const)(
  "what the %s never answers about alone (%s, %s) is held after its limit, and credited once it is answered",
  async (who, code, where) => {
    const setup = await setUpPoisonable();
    const { simulator, clock, silent, wallet, address } = setup;
    const first = where === "in an empty wallet" ? 0n : 1_000n;
    if (first > 0n) await simulator.pay(address, { amountsSats: [first] });
    await wallet.sync();
    const before = wallet.checkpoint();
    const { checkpoint, vtxos } = await simulator.pay(address, { amountsSats: [2_000n, 3_000n] });
    const [poison] = vtxos;
    silent.add((who === "chain" ? poison?.anchorTxid : poison?.id) ?? "");
    const behind = await simulator.pay(address, { amountsSats: [4_000n] });

    await syncFor(setup, 10, 5 * MINUTE_MS);
    expect(await wallet.sync()).toMatchObject({ halted: { checkpoint, code }, checkpoint: before });
    expect(wallet.quarantine()).toEqual([]);

    clock.lateMs += 15 * MINUTE_MS;
    expect(await wallet.sync()).toMatchObject({ halted: null, caughtUp: true, checkpoint: behind.checkpoint });
    expect(wallet.balance().totalSats).toBe(first + 7_000n);
    const [held] = wallet.quarantine();
    expect(wallet.quarantine()).toHaveLength(1);
    expect(held).toMatchObject({ id: poison?.id, code, permanent: false, checkpoint, attempts: 0 });
    expect(await wallet.quarantinedBytes(held?.key ?? "")).toEqual(poison?.bytes);

    // Still no answer when its time has come: it is counted, and the next look is later.
    clock.lateMs += 2 * MINUTE_MS;
    await wallet.sync();
    const [again] = wallet.quarantine();
    expect(again).toMatchObject({ key: held?.key, code, attempts: 1 });
    expect((again?.nextTryAtMs ?? 0) - clock.nowMs()).toBeGreaterThan(MINUTE_MS);

    silent.clear();
    await wallet.sync();
    expect(wallet.quarantine()).toEqual([]);
    expect(wallet.balance().totalSats).toBe(first + 9_000n);
    const movement = wallet.movements().at(-1);
    expect(movement).toMatchObject({ id: `arkoor_receive.${checkpoint}.${poison?.id}`, effectiveBalanceSats: 2_000n });
    await wallet.sync();
    expect(wallet.balance().totalSats).toBe(first + 9_000n);
    expectBooksToBalance(wallet.status());
  },
);

test.each(["chain", "server"] as const)(
  "a %s that answers nobody never drives a package into quarantine, however long",
  async (who) => {
    const setup = await setUpPoisonable();
    const { simulator, wallet, address } = setup;
    await simulator.pay(address, { amountsSats: [1_000n] });
    await wallet.sync();
    const { checkpoint } = await simulator.pay(address, { amountsSats: [2_000n] });
    if (who === "chain") simulator.chain.setFault("corrupt");
    else simulator.faults.failNext("GetVtxoStatus", 13, 1_000);
    await syncFor(setup, 11, 10 * MINUTE_MS);
    expect((await wallet.sync()).halted?.checkpoint).toBe(checkpoint);
    expect(wallet.quarantine()).toEqual([]);
    simulator.chain.setFault(null);
    simulator.faults.clear();
    expect(await wallet.sync()).toMatchObject({ applied: 1, halted: null });
  },
);

test("held items are looked at again at a start, before their time has come", async () => {
  const { simulator, silent, wallet, address, open, clock } = await setUpPoisonable();
  const { vtxos } = await simulator.pay(address, { amountsSats: [2_000n] });
  silent.add(vtxos[0]?.id ?? "");
  await syncFor({ wallet, clock }, 11, 7 * MINUTE_MS);
  expect(wallet.quarantine()).toMatchObject([{ code: "SERVER_FAILED" }]);
  await wallet.close();
  silent.clear();
  clock.lateMs -= 7 * MINUTE_MS;
  const again = await openWallet(open);
  expect(again.quarantine()[0]?.nextTryAtMs).toBeGreaterThan(clock.nowMs());
  again.start();
  await expect.poll(() => again.balance().totalSats).toBe(2_000n);
});

test("a held VTXO that the server calls spent costs it one question, and like one that expires has its turn in its time only", async () => {
  const simulator = await simulate();
  const real = fastChain(simulator);
  let lookups = 0;
  const chain: ChainSource = {
    tip: (options) => real.tip(options),
    blockHash: (height, options) => real.blockHash(height, options),
    status: (txid, options) => real.status(txid, options),
    outspend: (txid, vout, options) => real.outspend(txid, vout, options),
    transaction: (txid, options) => {
      lookups++;
      return real.transaction(txid, options);
    },
  };
  const clock = new LateClock();
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory(), clock), chain });
  await wallet.sync();
  const [vtxo] = (await simulator.pay(await wallet.address(), { amountsSats: [7_000n] })).vtxos;
  simulator.setSpendState(vtxo?.id ?? "", "spent");
  const expiryHeight = simulator.chain.tip + 1;
  await simulator.pay(await wallet.address(), { amountsSats: [500n], expiryHeight });
  await wallet.sync();
  const [asked, lookedUp] = [simulator.calls("GetVtxoStatus"), lookups];
  for (let look = 1; look <= 3; look++) {
    clock.lateMs += 10 * MINUTE_MS;
    await wallet.sync();
  }
  expect([simulator.calls("GetVtxoStatus") - asked, lookups - lookedUp]).toEqual([3, 3]);
  expect(wallet.quarantine().map(({ code, attempts }) => [code, attempts])).toEqual([
    ["SERVER_SAYS_SPENT", 3],
    ["NEAR_EXPIRY", 3],
  ]);
  simulator.setSpendState(vtxo?.id ?? "", "spendable");
  await wallet.sync();
  expect([wallet.balance().totalSats, lookups - lookedUp]).toEqual([0n, 3]);
  clock.lateMs += 10 * MINUTE_MS;
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(7_000n);
});
