import { expect, onTestFinished, test } from "vitest";
import { Heartwood, type OpenOptions, type Transport, type UnsolicitedLimits, type Wallet } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import type { SimulatorOptions } from "../../simulator/index.ts";
import { StreamError } from "../../streams/errors.ts";
import {
  addressOf,
  eventually,
  expectBooksToBalance,
  FastClock,
  fastOptions,
  freshDirectory,
  goLive,
  MNEMONIC,
  openWallet,
  simulate,
} from "./helpers.ts";

const MINUTE_MS = 60_000;
const GARBAGE_BYTES = 1_000;
const CUT = Uint8Array.of(1);

class LateClock extends FastClock {
  lateMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.lateMs;
  }
}

/** A wallet with a budget of its own, and a server that can take messages back. */
async function setUp(unsolicited: Partial<UnsolicitedLimits>, options: SimulatorOptions = {}) {
  const simulator = await simulate(options);
  const clock = new LateClock();
  const takenBack = new Set<bigint>();
  /** Positions at which it fails, and how often it did. */
  const failing = { isAt: (_after: bigint): boolean => false, times: 0 };
  const transport: Transport = async (session) => {
    const opened = await defaultPorts.transport(session);
    const read = opened.readMailbox.bind(opened);
    opened.readMailbox = async (from, call) => {
      if (failing.isAt(from.after)) {
        failing.times++;
        throw new StreamError("SERVER_FAILED", "this always fails", { retryable: true });
      }
      const page = await read(from, call);
      return { ...page, messages: page.messages.filter(({ checkpoint }) => !takenBack.has(checkpoint)) };
    };
    return opened;
  };
  const open: OpenOptions = {
    ...fastOptions(simulator, await freshDirectory(), clock),
    unsolicited,
    ports: { clock, transport },
  };
  const wallet = await openWallet(open);
  await wallet.sync();
  return { simulator, clock, takenBack, failing, open, wallet, address: await wallet.address() };
}

/** Entries of a package that are no VTXOs, no two alike. */
function garbage(count: number, length = GARBAGE_BYTES): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = new Uint8Array(length).fill(7);
    new DataView(bytes.buffer).setUint16(0, i);
    return bytes;
  });
}

/** Bytes that a closed wallet's log holds of what the server sent. */
async function storedBytes(wallet: Wallet, { directory }: OpenOptions): Promise<number> {
  await wallet.close();
  let bytes = 0;
  for await (const { blobs } of Heartwood.records(directory)) for (const { data } of blobs) bytes += data?.length ?? 0;
  return bytes;
}

test("above the day's budget garbage is held without its bytes, which are read from the server on request", async () => {
  const { simulator, open, wallet, address, clock } = await setUp({ bytesPerDay: 2_500 });
  const posted = garbage(5);
  const checkpoints = posted.map((bytes) => simulator.deliver(address, [bytes]));
  expect(await wallet.sync()).toMatchObject({ messages: 5, ignored: 5, halted: null, checkpoint: checkpoints.at(-1) });
  const held = wallet.quarantine();
  expect(held.map(({ checkpoint }) => checkpoint)).toEqual(checkpoints);
  await expect(wallet.quarantinedBytes(held[4]?.key ?? "")).rejects.toMatchObject({ code: "NOT_CONNECTED", retryable: true });
  await goLive(wallet);
  for (const [i, { key }] of held.entries()) expect(await wallet.quarantinedBytes(key)).toEqual(posted[i]);
  // The next day has a budget of its own.
  clock.lateMs += 24 * 60 * MINUTE_MS;
  simulator.deliver(address, [new Uint8Array(GARBAGE_BYTES).fill(9)]);
  await wallet.sync();
  const bytes = await storedBytes(wallet, open);
  expect(bytes).toBeGreaterThan(3 * GARBAGE_BYTES);
  expect(bytes).toBeLessThan(3 * GARBAGE_BYTES + 200);
});

test("money above the budget is credited once, and its bytes alone are in the log", async () => {
  const { simulator, open, wallet, address } = await setUp({ bytesPerDay: 0 });
  const vtxos = await simulator.createPackage(address, { amountsSats: [1_000n, 2_000n] });
  const good = vtxos.map(({ bytes }) => bytes);
  simulator.deliver(address, [...garbage(1), ...good, ...good]);
  expect(await wallet.sync()).toMatchObject({ applied: 1, halted: null });
  expect(wallet.balance().totalSats).toBe(3_000n);
  expect(wallet.quarantine()).toHaveLength(1);
  expectBooksToBalance(wallet.status());
  expect(await storedBytes(wallet, open)).toBe(good.reduce((sum, { length }) => sum + length, 0));
  const again = await openWallet(open);
  for (const { id, bytes } of vtxos) expect(await again.vtxoBytes(id)).toEqual(bytes);
  await again.sync();
  expect(again.balance().totalSats).toBe(3_000n);
});

test("what is held above the budget becomes money once it is good", async () => {
  const { simulator, clock, wallet, address } = await setUp({ bytesPerDay: 0 });
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ code: "ANCHOR_UNCONFIRMED" }]);
  simulator.mine(1);
  clock.lateMs += 2 * MINUTE_MS;
  await wallet.sync();
  expect(wallet.quarantine()).toEqual([]);
  expect(wallet.balance().totalSats).toBe(7_000n);
  const [vtxo] = vtxos;
  expect(await wallet.vtxoBytes(vtxo?.id ?? "")).toEqual(vtxo?.bytes);
});

test("bytes that the owner brings are kept, whatever the server does with those that it alone had", async () => {
  const { simulator, clock, takenBack, wallet, address } = await setUp({ bytesPerDay: 0 });
  const { vtxos, checkpoint } = await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  await wallet.sync();
  const [bytes] = vtxos.map((vtxo) => vtxo.bytes);
  const [first, again] = [await wallet.importVtxo(bytes ?? CUT), await wallet.importVtxo(bytes ?? CUT)];
  expect([first.status, again]).toEqual(["quarantined", first]);
  takenBack.add(checkpoint ?? 0n);
  simulator.mine(1);
  clock.lateMs += 2 * MINUTE_MS;
  await wallet.sync();
  clock.lateMs += 3 * MINUTE_MS;
  await wallet.sync();
  expect(wallet.movements()).toMatchObject([{ subsystem: { name: "heartwood.import" }, effectiveBalanceSats: 7_000n }]);
  expect(wallet.quarantine()).toEqual([]);
});

test("a server that does not let the mailbox be read is asked for held bytes less and less often, and none of them suffers", async () => {
  const { simulator, clock, failing, wallet, address } = await setUp({ bytesPerDay: 0 });
  for (let i = 0; i < 3; i++) await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  await wallet.sync();
  await goLive(wallet);
  const reaches = async (times: number): Promise<void> => {
    await eventually(() => failing.times >= times, "the server to be asked");
    // There is a look each 60 ms.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(failing.times).toBe(times);
  };
  failing.isAt = () => true;
  clock.lateMs += 2 * MINUTE_MS;
  // Three readings at once, and whether others succeed.
  await reaches(4);
  clock.lateMs += MINUTE_MS;
  await reaches(8);
  clock.lateMs += MINUTE_MS;
  await reaches(8);
  expect(wallet.quarantine().map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
  simulator.mine(1);
  failing.isAt = () => false;
  clock.lateMs += MINUTE_MS;
  await eventually(() => wallet.balance().totalSats === 21_000n, "what was held to be money");
});

test("held bytes that alone the server fails to give are asked for less and less often, as if they were refused", async () => {
  const { simulator, clock, failing, wallet, address } = await setUp({ bytesPerDay: 0 });
  const { checkpoint } = await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  await wallet.sync();
  failing.isAt = (after) => after === (checkpoint ?? 0n) - 1n;
  const attempts: (number | undefined)[] = [];
  for (let i = 0; i < 4; i++) {
    clock.lateMs += MINUTE_MS + 1_000;
    await wallet.sync();
    attempts.push(wallet.quarantine()[0]?.attempts);
  }
  expect([failing.times, attempts]).toEqual([2, [1, 1, 2, 2]]);
});

test("a package above the budget that halts is read again where the checkpoint stands, also by the next process", async () => {
  const { simulator, open, wallet, address } = await setUp({ bytesPerDay: 0 });
  simulator.chain.setFault("down");
  const { checkpoint } = await simulator.pay(address, { amountsSats: [7_000n] });
  expect(await wallet.sync()).toMatchObject({ halted: { checkpoint } });
  await wallet.close();
  simulator.chain.setFault(null);
  const again = await openWallet(open);
  expect(await again.sync()).toMatchObject({ applied: 1, halted: null, checkpoint });
  expect(again.balance().totalSats).toBe(7_000n);
});

test("a message above the budget that the server takes back undecided ends up as if it never came", async () => {
  const { simulator, clock, takenBack, wallet, address } = await setUp({ bytesPerDay: 0 });
  simulator.chain.setFault("down");
  const { checkpoint } = await simulator.pay(address, { amountsSats: [7_000n] });
  await wallet.sync();
  simulator.chain.setFault(null);
  takenBack.add(checkpoint ?? 0n);
  for (let i = 0; i < 10; i++) {
    expect(await wallet.sync()).toMatchObject({ halted: { checkpoint, code: "BYTES_WITHDRAWN" } });
    clock.lateMs += 7 * MINUTE_MS;
  }
  expect(await wallet.sync()).toMatchObject({ halted: null, caughtUp: true, checkpoint });
  const behind = await simulator.pay(address, { amountsSats: [8_000n] });
  expect(await wallet.sync()).toMatchObject({ applied: 1, checkpoint: behind.checkpoint });
});

test("a message of more than 1,000 entries is held as one item", async () => {
  const { simulator, wallet, address } = await setUp({}, { pageLimit: 2_000 });
  simulator.deliver(address, garbage(1_001, 2));
  await wallet.sync();
  expect(wallet.quarantine()).toMatchObject([{ code: "TOO_MANY_ENTRIES", permanent: true }]);
  expect(await wallet.quarantinedBytes(wallet.quarantine()[0]?.key ?? "")).toHaveLength(4_017);
});

test("above the day's number of items reading slows down to 1,000 in a quarter of an hour, and all of it arrives", async () => {
  const { simulator, clock, wallet, address } = await setUp({ itemsPerDay: 1 }, { pageLimit: 2_000 });
  simulator.deliver(address, []);
  simulator.deliver(address, garbage(999, 2));
  const { checkpoint } = await simulator.pay(address, { amountsSats: [7_000n] });
  await expect(wallet.sync()).rejects.toMatchObject({ code: "MAILBOX_FLOODED", retryable: true });
  expect(wallet.quarantine()).toHaveLength(999);
  await expect(wallet.sync()).rejects.toMatchObject({ code: "MAILBOX_FLOODED" });
  clock.lateMs += 15 * MINUTE_MS;
  expect(await wallet.sync()).toMatchObject({ applied: 1, checkpoint });
  expect(wallet.balance().totalSats).toBe(7_000n);
});

test("notices behind a halt are taken no faster than anything else above the day's number", async () => {
  const { simulator, clock, wallet, address } = await setUp({ itemsPerDay: 1 }, { pageLimit: 2_000 });
  simulator.deliver(address, []);
  simulator.deliver(address, garbage(997, 2));
  await wallet.sync();
  simulator.chain.setFault("down");
  await simulator.pay(address, { amountsSats: [7_000n] });
  for (let i = 1; i <= 5; i++) {
    const value = { paymentHash: new Uint8Array(32).fill(i), preimage: undefined };
    simulator.deliverMessage(address, { $case: "lightningSendFinished", value });
  }
  expect(await wallet.sync()).toMatchObject({ halted: { code: "CHAIN_HTTP_STATUS" } });
  expect(wallet.status()).toMatchObject({ counters: { quarantined: 997, ignored: 2 + 2 } });
  clock.lateMs += 15 * MINUTE_MS;
  await wallet.sync();
  expect(wallet.status().counters.ignored).toBe(2 + 5);
});

test("a restore reads what the seed ever received at full speed", async () => {
  const simulator = await simulate({ pageLimit: 2_000 });
  const address = addressOf(simulator, MNEMONIC, 0);
  simulator.deliver(address, []);
  for (const length of [2, 3]) simulator.deliver(address, garbage(999, length));
  await simulator.pay(address, { amountsSats: [7_000n] });
  const open = { ...fastOptions(simulator, await freshDirectory()), unsolicited: { itemsPerDay: 100 } };
  const wallet = await Heartwood.restore({ ...open, restoreLookAhead: 1_000 });
  onTestFinished(() => wallet.close());
  expect(wallet.balance().totalSats).toBe(7_000n);
});
