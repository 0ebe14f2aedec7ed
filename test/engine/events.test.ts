import { appendFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { Heartwood, type Wallet, type WalletEvent } from "../../engine/index.ts";
import type { EventLog, ReadOptions, StoredRecord } from "../../store/index.ts";
import { createMemoryLog, StoreError } from "../../store/index.ts";
import { addressOf, eventually, fastOptions, goLive, MNEMONIC, recorded, setUp, simulate } from "./helpers.ts";

/** Takes events until one that ends the list. */
async function take(wallet: Wallet, isLast: (event: WalletEvent) => boolean, from?: bigint): Promise<WalletEvent[]> {
  const events: WalletEvent[] = [];
  for await (const event of wallet.events(from === undefined ? {} : { from })) {
    events.push(event);
    if (isLast(event)) break;
  }
  return events;
}

const ofType =
  <Type extends WalletEvent["type"]>(type: Type) =>
  (event: WalletEvent): event is Extract<WalletEvent, { type: Type }> =>
    event.type === type;

test("events replay from the beginning and go live without gap or duplicate in a burst, for readers that start at any moment", async () => {
  const { simulator, wallet, address } = await setUp();
  await goLive(wallet);
  const last = 6;
  const isLast = (event: WalletEvent): boolean => event.type === "payment.received" && event.amountSats === BigInt(1_000 + last);
  const readers: Promise<WalletEvent[]>[] = [take(wallet, isLast)];
  for (let count = 1; count <= last; count++) {
    await simulator.pay(address, { amountsSats: [BigInt(1_000 + count)] });
    if (count % 2 === 0) readers.push(take(wallet, isLast));
  }
  const [first, ...others] = await Promise.all(readers);
  const seqs = first?.map(({ seq }) => seq) ?? [];
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => (a < b ? -1 : 1)));
  expect(first?.[0]).toMatchObject({ seq: 1n, type: "wallet.created" });
  expect(first?.filter(ofType("payment.received")).map(({ amountSats }) => amountSats)).toEqual(
    Array.from({ length: last }, (_, index) => BigInt(1_001 + index)),
  );
  for (const other of others) expect(other).toEqual(first);
});

test("the live events are those that a replay tells", async () => {
  const { simulator, wallet, address } = await setUp();
  const from = wallet.status().records + 1n;
  const live = recorded(wallet);
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n], corrupt: [{ index: 1, how: "truncate" }] });
  simulator.deliverUnknown(address);
  await wallet.sync();
  await wallet.address({ fresh: true });
  const replayed = await take(wallet, ofType("address.issued"), from);
  expect(live).toEqual(replayed);
  expect(live.map(({ type }) => type)).toEqual([
    "connection.changed",
    "connection.changed",
    "payment.received",
    "vtxo.quarantined",
    "message.ignored",
    "connection.changed",
    "address.issued",
  ]);
});

test("events go on from the record after a known one", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [1_000n] });
  await wallet.sync();
  const all = await take(wallet, ({ type }) => type === "payment.received");
  const known = all.at(2);
  expect(await take(wallet, ({ type }) => type === "payment.received", (known?.seq ?? 0n) + 1n)).toEqual(all.slice(3));
  expect(await take(wallet, () => true, -5n)).toEqual(all.slice(0, 1));
});

test("a slow reader misses nothing and holds nobody up", async () => {
  const { simulator, wallet, address } = await setUp();
  await goLive(wallet);
  const amounts: bigint[] = [];
  const reading = (async () => {
    for await (const event of wallet.events()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (event.type === "payment.received") amounts.push(event.amountSats);
      if (amounts.length === 4) return;
    }
  })();
  for (let count = 1n; count <= 4n; count++) await simulator.pay(address, { amountsSats: [count * 1_000n] });
  await eventually(() => wallet.movements().length === 4, "four payments");
  await reading;
  expect(amounts).toEqual([1_000n, 2_000n, 3_000n, 4_000n]);
});

test("a reader ends at its signal, whether it waits or reads, and one aborted before sees nothing", async () => {
  const { wallet } = await setUp();
  const stop = new AbortController();
  const seen: WalletEvent[] = [];
  const waiting = (async () => {
    for await (const event of wallet.events({ signal: stop.signal })) seen.push(event);
  })();
  await eventually(() => seen.length > 3, "some events");
  stop.abort();
  await waiting;
  const reading = new AbortController();
  let count = 0;
  for await (const _ of wallet.events({ signal: reading.signal })) {
    count++;
    reading.abort();
  }
  expect(count).toBe(1);
  for await (const event of wallet.events({ signal: AbortSignal.abort() })) throw new Error(`expected none, got ${event.type}`);
});

test("closing the wallet ends its readers and completes events$", async () => {
  const { wallet } = await setUp();
  const completed = new Promise<void>((resolve, reject) => {
    wallet.events$.subscribe({ complete: resolve, error: reject });
  });
  const seen: WalletEvent[] = [];
  const reading = (async () => {
    for await (const event of wallet.events()) seen.push(event);
  })();
  await eventually(() => seen.length > 3, "some events");
  await wallet.close();
  await Promise.all([reading, completed]);
});

test("a reader whose log is closed under it ends in order", async () => {
  const simulator = await simulate();
  const { directory: _, ...options } = fastOptions(simulator, "none");
  let goOn = (): void => {};
  const later = new Promise<void>((resolve) => (goOn = resolve));
  const wallet = await Heartwood.openOn(readLater(await createMemoryLog().open(), 3, later), options);
  await wallet.sync();
  for (let count = 0; count < 20; count++) await wallet.address({ fresh: true });
  let seen = 0;
  const reading = (async () => {
    for await (const event of wallet.events()) seen += event.seq > 0n ? 1 : 0;
  })();
  await eventually(() => seen > 1, "some events");
  await wallet.close();
  goOn();
  await reading;
  expect(seen).toBeLessThan(4);
});

/** A log that reads some records, and the others later. */
function readLater(log: EventLog, first: number, later: Promise<void>): EventLog {
  async function* read(options?: ReadOptions): AsyncGenerator<StoredRecord> {
    const records = log.read(options)[Symbol.asyncIterator]();
    for (let count = 0; ; count++) {
      if (count >= first) await later;
      const next = await records.next();
      if (next.done === true) return;
      yield next.value;
    }
  }
  return new Proxy(log, {
    get(target, name) {
      if (name === "read") return read;
      const member = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** A log whose writes fail from a moment on, as a full disk makes them. */
function failing(log: EventLog): { readonly log: EventLog; fail(): void } {
  let isFull = false;
  const proxy = new Proxy(log, {
    get(target, name) {
      if (name === "append" && isFull) return async () => Promise.reject(new StoreError("STORE_FULL", "expected room, got none"));
      const member = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const fail = (): void => {
    isFull = true;
  };
  return { log: proxy, fail };
}

test("a failed write fails the wallet: its state stays what is durable, every stream and request says WALLET_FAILED", async () => {
  const simulator = await simulate();
  const memory = createMemoryLog();
  const store = failing(await memory.open());
  const { directory: _, ...options } = fastOptions(simulator, "none");
  const wallet = await Heartwood.openOn(store.log, options);
  await wallet.sync();
  const address = await wallet.address();
  await goLive(wallet);
  const before = wallet.status();
  const failed = new Promise<unknown>((resolve) => {
    wallet.events$.subscribe({ error: resolve });
  });
  const seen: WalletEvent[] = [];
  const reading = (async () => {
    for await (const event of wallet.events()) seen.push(event);
  })();
  reading.catch(() => undefined);
  store.fail();
  await simulator.pay(address, { amountsSats: [1_000n] });

  expect(await failed).toMatchObject({ code: "STORE_FULL" });
  await expect(reading).rejects.toMatchObject({ code: "WALLET_FAILED", cause: { code: "STORE_FULL" } });
  expect(seen.at(-1)).toMatchObject({ type: "connection.changed", state: "Live" });
  expect(wallet.status()).toEqual(before);
  await expect(wallet.address({ fresh: true })).rejects.toMatchObject({ code: "WALLET_FAILED" });
  await expect(wallet.sync()).rejects.toMatchObject({ code: "WALLET_FAILED" });
  expect(() => wallet.start()).toThrow(expect.objectContaining({ code: "WALLET_FAILED" }));
  await eventually(() => simulator.counters().openSubscriptions === 0, "no open stream");
  await wallet.close();

  const again = await Heartwood.openOn(await memory.open(), options);
  expect(again.checkpoint()).toBe(0n);
  expect(await again.sync()).toMatchObject({ applied: 1 });
  await again.close();
});

test("a write that fails during a sync rejects it as WALLET_FAILED", async () => {
  const simulator = await simulate();
  const store = failing(await createMemoryLog().open());
  const { directory: _, ...options } = fastOptions(simulator, "none");
  const wallet = await Heartwood.openOn(store.log, options);
  simulator.faults.delay("ReadMailbox", 50);
  const sync = wallet.sync();
  setTimeout(() => store.fail(), 20);
  await expect(sync).rejects.toMatchObject({ code: "WALLET_FAILED", cause: { code: "STORE_FULL" } });
  await wallet.close();
});

test("a record that is damaged on disk is not shown as an event", async () => {
  const { wallet, directory, options } = await setUp();
  await wallet.close();
  await appendFile(`${directory}/HEAD`, "x");
  await expect(Heartwood.open(options)).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
});

test("events$ is cold: each subscriber is served and leaves by itself", async () => {
  const { wallet } = await setUp();
  const first = recorded(wallet);
  const second: WalletEvent[] = [];
  const subscription = wallet.events$.subscribe((event) => void second.push(event));
  await wallet.address({ fresh: true });
  subscription.unsubscribe();
  await wallet.address({ fresh: true });
  expect(first.map(({ type }) => type)).toEqual(["address.issued", "address.issued"]);
  expect(second).toEqual(first.slice(0, 1));
});

test("an address stays the same until a fresh one is asked for, each fresh one is new, and all receive", async () => {
  const { simulator, wallet, address } = await setUp();
  expect(await wallet.address()).toBe(address);
  expect(address).toBe(addressOf(simulator, MNEMONIC, 0));
  const fresh = await Promise.all([1, 2, 3].map(() => wallet.address({ fresh: true })));
  expect(fresh).toEqual([1, 2, 3].map((index) => addressOf(simulator, MNEMONIC, index)));
  expect(await wallet.address()).toBe(fresh.at(-1));
  for (const one of [address, ...fresh]) await simulator.pay(one, { amountsSats: [1_000n] });
  await wallet.sync();
  expect(
    wallet
      .vtxos()
      .map(({ keyIndex }) => keyIndex)
      .toSorted(),
  ).toEqual([0, 1, 2, 3]);
  expect(wallet.status().nextKeyIndex).toBe(4);
});

test("an address is durable before it is told, even to the one who did not ask for a fresh one", async () => {
  const simulator = await simulate();
  const memory = createMemoryLog();
  const { directory: _, ...options } = fastOptions(simulator, "none");
  const wallet = await Heartwood.openOn(await memory.open(), options);
  await wallet.sync();
  let durable = 0;
  wallet.events$.subscribe(({ type }) => {
    if (type === "address.issued") durable++;
  });
  const asked = [wallet.address(), wallet.address()].map(async (address) => ({ address: await address, durable }));
  const [first, second] = await Promise.all(asked);
  expect(first).toEqual({ address: addressOf(simulator, MNEMONIC, 0), durable: 1 });
  expect(second).toEqual(first);
  await wallet.close();
});

test("a payment to a key 900 ahead of the last used one is found, and the next keys follow it; 1,100 ahead it is held (mailbox.md W-3, W-50)", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(addressOf(simulator, MNEMONIC, 900), { amountsSats: [1_000n] });
  await wallet.sync();
  expect(wallet.vtxos()).toMatchObject([{ keyIndex: 900, amountSats: 1_000n }]);
  expect(wallet.status().nextKeyIndex).toBe(901);
  expect(await wallet.address()).toBe(address);
  expect(await wallet.address({ fresh: true })).toBe(addressOf(simulator, MNEMONIC, 901));

  const far = addressOf(simulator, MNEMONIC, 902 + 1_100);
  await simulator.pay(far, { amountsSats: [2_000n] });
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ code: "NOT_OWNED", amountSats: 2_000n }]);

  // Keys used up meanwhile bring it into reach.
  await simulator.pay(addressOf(simulator, MNEMONIC, 1_500), { amountsSats: [3_000n] });
  await wallet.sync();
  expect(wallet.quarantine()).toEqual([]);
  expect(wallet.balance().totalSats).toBe(6_000n);
});
