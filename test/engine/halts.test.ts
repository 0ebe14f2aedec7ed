import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { esplora, Heartwood, type Logger, type Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { decodeTransition } from "../../engine/transition.ts";
import { encodeMessage, encodeUnknownMessage, type SimulatorMethod } from "../../simulator/index.ts";
import { type AppendRequest, createMemoryLog, type EventLog, openLevelLog } from "../../store/index.ts";
import type { ServerSession } from "../../streams/session.ts";
import {
  eventually,
  expectBooksToBalance,
  FastClock,
  fastOptions,
  freshDirectory,
  goLive,
  logOf,
  nextEvent,
  openWallet,
  recorded,
  type Setup,
  setUp,
  simulate,
  walletOptions,
} from "./helpers.ts";

const pay = ({ simulator, address }: Setup, ...amountsSats: bigint[]) => simulator.pay(address, { amountsSats });
const holds = ({ wallet }: Setup, totalSats: bigint) =>
  eventually(() => wallet.balance().totalSats === totalSats, `${totalSats} sats`);

test("while the chain is down a package halts, the checkpoint stands, nothing behind it is consumed; then all is applied once", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const first = await pay(setup, 1_000n);
  await wallet.sync();
  const events = recorded(wallet);
  await goLive(wallet);
  simulator.chain.setFault("down");
  const halted = nextEvent(wallet, "package.halted");
  const second = await pay(setup, 2_000n);
  const third = simulator.deliverUnknown(address);
  expect(await halted).toMatchObject({ checkpoint: second.checkpoint, code: "CHAIN_HTTP_STATUS" });
  await eventually(() => wallet.status().counters.halts >= 3, "three halts");
  expect(wallet.status()).toMatchObject({ checkpoint: first.checkpoint, halted: { checkpoint: second.checkpoint } });
  expect(wallet.status().counters.messages).toBe(2);

  simulator.chain.setFault(null);
  await eventually(() => wallet.checkpoint() === third, "the checkpoint behind the halt");
  expect(wallet.status()).toMatchObject({ halted: null, counters: { packages: 2, messages: 3, ignored: 1 } });
  expect(wallet.balance().totalSats).toBe(3_000n);
  expectBooksToBalance(wallet.status());
  const order = events.map(({ type }) => type).filter((type) => /^(payment|message|mailbox)\./.test(type));
  expect(order).toEqual(["payment.received", "mailbox.resumed", "message.ignored"]);
});

test.each(["hang", "corrupt"] as const)("a chain source with the fault %s halts a package and refuses nothing", async (fault) => {
  const setup = await setUp();
  const { simulator, options } = setup;
  await pay(setup, 1_000n);
  await setup.wallet.close();
  simulator.chain.setFault(fault);
  const impatient = { retries: 0, timeoutMs: fault === "hang" ? 150 : 2_000, tipCacheMs: 0 };
  const wallet = await openWallet({ ...options, chain: esplora(simulator.chainUrl, impatient) });
  const { halted, applied } = await wallet.sync();
  expect(applied).toBe(0);
  expect(halted?.code).toBe(fault === "hang" ? "CHAIN_TIMEOUT" : "CHAIN_TXID_MISMATCH");
  expect(wallet.quarantine()).toEqual([]);
  await wallet.close();
  simulator.chain.setFault(null);
  const again = await openWallet(options);
  expect(await again.sync()).toMatchObject({ applied: 1, halted: null, caughtUp: true });
});

test("a sync that meets a halt says so, and the next one starts with that package", async () => {
  const setup = await setUp();
  setup.simulator.chain.setFault("down");
  const [first, second] = [await pay(setup, 1_000n), await pay(setup, 2_000n)];
  expect(await setup.wallet.sync()).toEqual({
    pages: 1,
    messages: 1,
    applied: 0,
    ignored: 0,
    halted: { checkpoint: first.checkpoint, code: "CHAIN_HTTP_STATUS" },
    caughtUp: false,
    checkpoint: 0n,
  });
  setup.simulator.chain.setFault(null);
  expect(await setup.wallet.sync()).toMatchObject({ applied: 2, halted: null, caughtUp: true, checkpoint: second.checkpoint });
  expectBooksToBalance(setup.wallet.status());
});

test.each(["clean", "abrupt"] as const)(
  "a live wallet outlasts a %s restart of the server and catches up with what it missed",
  async (how) => {
    const setup = await setUp();
    const { simulator, wallet } = setup;
    await goLive(wallet);
    await simulator.takeDown(how);
    await pay(setup, 1_000n);
    await eventually(() => wallet.status().connection !== "Live", "that the wallet noticed");
    const live = nextEvent(wallet, "connection.changed", ({ state }) => state === "Live");
    await simulator.bringUp();
    await live;
    await holds(setup, 1_000n);
    await pay(setup, 2_000n);
    await holds(setup, 3_000n);
    expectBooksToBalance(wallet.status());
  },
);

test.each([
  ["ended", undefined],
  ["cut with UNAVAILABLE", Status.UNAVAILABLE],
  ["cut with INTERNAL", Status.INTERNAL],
  ["cut with RESOURCE_EXHAUSTED", Status.RESOURCE_EXHAUSTED],
  ["cut with CANCELLED", Status.CANCELLED],
  ["cut with INVALID_ARGUMENT", Status.INVALID_ARGUMENT],
] as const)("a stream that is %s is opened again, and nothing is missed", async (_how, status) => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  await goLive(wallet);
  await eventually(() => simulator.counters().openSubscriptions === 1, "an open stream");
  simulator.faults.dropNotices = true;
  await pay(setup, 1_000n);
  if (status === undefined) simulator.faults.endStreams();
  else simulator.faults.cutStreams(status);
  await holds(setup, 1_000n);
  simulator.faults.dropNotices = false;
  await eventually(() => wallet.status().connection === "Live" && simulator.counters().openSubscriptions === 1, "a new stream");
  await pay(setup, 2_000n);
  await holds(setup, 3_000n);
});

const methods = [
  "Handshake",
  "GetArkInfo",
  "ReadMailbox",
  "SubscribeMailbox",
  "GetVtxoStatus",
  "RegisterVtxoTransactions",
  "PostRecoveryVtxoIds",
] as const satisfies readonly SimulatorMethod[];

test.each(methods)("%s may fail with any answer: a live wallet goes on and credits once", async (method) => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  for (const status of [Status.UNAVAILABLE, Status.INTERNAL, Status.DEADLINE_EXCEEDED, Status.RESOURCE_EXHAUSTED]) {
    simulator.faults.failNext(method, status);
  }
  wallet.start();
  await eventually(() => wallet.status().connection === "Live" || wallet.status().connection === "BackingOff", "a start");
  await pay(setup, 1_000n);
  await holds(setup, 1_000n);
  await pay(setup, 2_000n);
  await holds(setup, 3_000n);
  await eventually(() => wallet.status().openCommands === 0, "registration and backup");
  expectBooksToBalance(wallet.status());
});

test("a lost answer to a registration or a backup is asked for again", async () => {
  const setup = await setUp();
  setup.simulator.faults.loseNext("RegisterVtxoTransactions");
  setup.simulator.faults.loseNext("PostRecoveryVtxoIds");
  await goLive(setup.wallet);
  await pay(setup, 1_000n);
  await holds(setup, 1_000n);
  await eventually(() => setup.wallet.status().openCommands === 0, "both results");
  expect(setup.simulator.recoveryIds()).toEqual(setup.wallet.vtxos().map(({ id }) => id));
});

test("a registration that the server refuses is tried again at its pace only, whatever else arrives", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  const slow = new (class extends FastClock {
    override after(delayMs: number, callback: () => void): () => void {
      return super.after(delayMs === 30_000 ? 30_000 * 500 : delayMs, callback);
    }
  })();
  await wallet.close();
  const again = await openWallet({ ...setup.options, ports: { clock: slow } });
  await goLive(again);
  simulator.faults.failNext("RegisterVtxoTransactions", Status.INVALID_ARGUMENT, Number.POSITIVE_INFINITY);
  const before = simulator.calls("RegisterVtxoTransactions");
  for (let count = 1n; count <= 4n; count++) {
    const received = nextEvent(again, "payment.received");
    await pay(setup, 1_000n);
    await received;
  }
  await eventually(() => again.status().openCommands === 4, "four registrations without a good answer");
  expect(simulator.calls("RegisterVtxoTransactions") - before).toBe(4);
});

test("a package that was being vetted when the wallet was closed is taken up after reopening, once", async () => {
  const setup = await setUp();
  const { simulator, wallet, directory, options } = setup;
  await goLive(wallet);
  simulator.faults.delay("GetVtxoStatus", 60_000);
  const { checkpoint } = await pay(setup, 1_000n);
  await eventually(() => wallet.status().counters.messages === 1, "the message");
  await wallet.close();
  expect(await Heartwood.read(directory)).toMatchObject({ checkpoint: 0n, counters: { messages: 1, packages: 0 } });

  simulator.faults.clear();
  const again = await openWallet(options);
  expect(await again.sync()).toMatchObject({ messages: 0, applied: 1, halted: null, checkpoint });
  expectBooksToBalance(again.status());
});

test("a halted package that the server does not deliver again is decided all the same", async () => {
  const setup = await setUp();
  const { simulator, wallet, options } = setup;
  simulator.chain.setFault("down");
  const { checkpoint } = await pay(setup, 1_000n);
  expect((await wallet.sync()).halted).toMatchObject({ checkpoint });
  await wallet.close();
  simulator.chain.setFault(null);

  const forgetful: Transport = async (session) =>
    instead(await defaultPorts.transport(session), "readMailbox", async () => ({ messages: [], haveMore: false }));
  const again = await openWallet({ ...options, ports: { ...options.ports, transport: forgetful } });
  expect(await again.sync()).toMatchObject({ applied: 1, halted: null, caughtUp: true, checkpoint });
  expect(again.status().halted).toBeNull();
});

test("two packages that wait for an answer at once are both decided, the lower one first", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  simulator.chain.setFault("down");
  const high = await pay(setup, 1_000n);
  await wallet.sync();
  // A server that delivers an older position after a newer one.
  const vtxos = await simulator.createPackage(address, { amountsSats: [2_000n] });
  const low = 5n;
  const late = encodeMessage({
    checkpoint: low,
    message: { $case: "arkoor", value: { vtxos: vtxos.map(({ bytes }) => bytes) } },
  });
  simulator.deliverRaw(address, () => late);
  await goLiveOrBackOff(setup);
  await eventually(() => wallet.status().counters.halts >= 3, "halts");
  simulator.chain.setFault(null);
  await holds(setup, 3_000n);
  expect(wallet.status()).toMatchObject({ checkpoint: high.checkpoint, halted: null });
  expectBooksToBalance(wallet.status());
});

test("a checkpoint far ahead is not believed: its message is consumed, the position stands, and the next payment arrives (mailbox.md W-11)", async () => {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  const first = await pay(setup, 1_000n);
  for (const lie of [2n ** 62n, 2n ** 63n, 2n ** 64n - 1n]) {
    simulator.deliverRaw(address, () => encodeMessage({ checkpoint: lie, message: { $case: "arkoor", value: { vtxos: [] } } }));
  }
  await goLiveOrBackOff(setup);
  await holds(setup, 1_000n);
  await eventually(() => wallet.status().counters.ignored === 3, "three lies");
  expect(wallet.checkpoint()).toBe(first.checkpoint);
  const second = await pay(setup, 2_000n);
  await eventually(() => wallet.checkpoint() === second.checkpoint, "the checkpoint of an honest message");
  expect(wallet.balance().totalSats).toBe(3_000n);
});

test("messages that come again in a stream change nothing, and a few of them end it (mailbox.md W-46)", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  await goLive(wallet);
  const { checkpoint } = await pay(setup, 1_000n);
  await holds(setup, 1_000n);
  const dropped = nextEvent(wallet, "connection.changed", ({ code }) => code === "MAILBOX_STUCK");
  for (let count = 0; count < 4; count++) simulator.redeliver(checkpoint ?? 0n, { position: "same" });
  await dropped;
  expect(wallet.status()).toMatchObject({ checkpoint, counters: { messages: 1, packages: 1, redeliveries: 0 } });
  await eventually(() => wallet.status().connection === "Live", "the next connection");
});

test("a page that does not lead on ends a sync as MAILBOX_STUCK (mailbox.md W-33)", async () => {
  const setup = await setUp();
  setup.simulator.deliverRaw(setup.address, () => encodeUnknownMessage(0n, 99, new Uint8Array()));
  await expect(setup.wallet.sync()).rejects.toMatchObject({ code: "MAILBOX_STUCK", retryable: true });
});

test("a failure that repeats is waited out longer each time, and a consumed message makes the wait short again", async () => {
  const setup = await setUp();
  const { simulator, wallet, directory } = setup;
  simulator.faults.failNext("ReadMailbox", Status.UNAVAILABLE, 6);
  wallet.start();
  await eventually(() => wallet.status().connection === "Live", "a connection after six failures");
  await pay(setup, 1_000n);
  await holds(setup, 1_000n);
  await wallet.close();
  const states: string[] = [];
  let failures: unknown;
  await using log = await openLevelLog(directory, { readOnly: true });
  for await (const { record } of log.read()) {
    const { instance, state, change } = decodeTransition(record);
    if (instance !== "connection/main") continue;
    states.push(state);
    failures = change.failures ?? failures;
  }
  expect(states.filter((state) => state === "BackingOff" || state === "CoolingDown")).toEqual([
    ...Array(4).fill("BackingOff"),
    ...Array(2).fill("CoolingDown"),
  ]);
  expect(failures).toBe(0);
});

test("after any trouble and a close nothing is left waiting", async () => {
  const simulator = await simulate();
  const clock = new FastClock();
  const wallet = await openWallet(fastOptions(simulator, await freshDirectory(), clock));
  await wallet.sync();
  const address = await wallet.address();
  await goLive(wallet);
  simulator.faults.failNext("RegisterVtxoTransactions", Status.INTERNAL, Number.POSITIVE_INFINITY);
  await simulator.pay(address, { amountsSats: [1_000n] });
  await eventually(() => wallet.balance().totalSats === 1_000n, "a credit");
  simulator.chain.setFault("down");
  await simulator.pay(address, { amountsSats: [1_000n] });
  await nextEvent(wallet, "package.halted");
  await wallet.close();
  expect(clock.waiting).toBe(0);
});

test("a close while a registration is under way leaves no retry", async () => {
  const simulator = await simulate();
  const clock = new FastClock();
  const wallet = await openWallet(fastOptions(simulator, await freshDirectory(), clock));
  await wallet.sync();
  await goLive(wallet);
  simulator.faults.delay("RegisterVtxoTransactions", 60_000);
  await simulator.pay(await wallet.address(), { amountsSats: [1_000n] });
  await eventually(() => simulator.calls("RegisterVtxoTransactions") === 1, "a registration");
  await wallet.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(clock.waiting).toBe(0);
});

test.each([0, 1, 2, 4, 8, 16])("a close %i ms after a start leaves no timer and no connection", async (delayMs) => {
  const simulator = await simulate();
  const clock = new FastClock();
  const wallet = await openWallet({ ...walletOptions(simulator, await freshDirectory()), ports: { clock } });
  if (delayMs % 2 === 0) simulator.faults.failNext("GetArkInfo");
  wallet.start();
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  await wallet.close();
  expect(clock.waiting).toBe(0);
  await eventually(() => simulator.counters().openSubscriptions === 0, "no open stream");
});

test("a close right after a failure, before its timer is durable, leaves no timer", async () => {
  const simulator = await simulate();
  const clock = new FastClock(1);
  let closing: Promise<void> | undefined;
  const unreachable: Transport = async () => {
    setImmediate(() => {
      closing = wallet.close();
    });
    throw Object.assign(new Error("no route"), { code: "SERVER_UNREACHABLE" });
  };
  const { directory: _, ...options } = fastOptions(simulator, "none", clock);
  const log = slow(await createMemoryLog().open());
  const wallet = await Heartwood.openOn(log, { ...options, ports: { clock, transport: unreachable } });
  const events = recorded(wallet);
  wallet.start();
  await eventually(() => closing !== undefined, "a failure");
  await closing;
  expect(events.map((event) => event.type === "connection.changed" && event.state)).toEqual([
    "Connecting",
    "BackingOff",
    "Stopped",
  ]);
  expect(clock.waiting).toBe(0);
});

test("an answer that comes after the close is not recorded, and is no failure", async () => {
  const setup = await setUp();
  await setup.wallet.close();
  let answer: (() => void) | undefined;
  const late: Transport = async (session) =>
    instead(await defaultPorts.transport(session), "registerVtxoTransactions", () => {
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    });
  const said: string[] = [];
  const logger: Logger = (level, message) => void said.push(`${level} ${message}`);
  const wallet = await openWallet({ ...setup.options, ports: { clock: new FastClock(), transport: late, logger } });
  await goLive(wallet);
  await pay(setup, 1_000n);
  await eventually(() => answer !== undefined, "a registration");
  await wallet.close();
  const before = await logOf(setup.directory);
  answer?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(said.filter((line) => line.startsWith("error"))).toEqual([]);
  expect(await logOf(setup.directory)).toEqual(before);
});

test("stop and start without waiting leave one connection, which credits what arrives", async () => {
  const setup = await setUp();
  const { simulator, wallet } = setup;
  await goLive(wallet);
  for (let count = 0; count < 5; count++) {
    void wallet.stop();
    wallet.start();
  }
  await pay(setup, 1_000n);
  await holds(setup, 1_000n);
  await eventually(() => simulator.counters().openSubscriptions === 1, "one stream");
  await wallet.stop();
  expect(wallet.status().connection).toBe("Stopped");
  await eventually(() => simulator.counters().openSubscriptions === 0, "no stream");
});

test("a sync ends with its signal and keeps what it did; the next goes on", async () => {
  const setup = await setUp();
  setup.simulator.faults.delay("GetVtxoStatus", 60_000);
  const { checkpoint } = await pay(setup, 1_000n);
  const stop = new AbortController();
  const sync = setup.wallet.sync({ signal: stop.signal });
  await eventually(() => setup.wallet.status().counters.messages === 1, "the message");
  stop.abort(new Error("enough"));
  await expect(sync).rejects.toThrow("enough");
  setup.simulator.faults.clear();
  expect(await setup.wallet.sync()).toMatchObject({ applied: 1, checkpoint });
});

test("a sync ends after its time with what it did", async () => {
  const setup = await setUp();
  await setup.wallet.close();
  const clock = new FastClock();
  const { after } = clock;
  let pass = (): void => {};
  clock.after = (delayMs, callback) => {
    if (delayMs !== 400_000) return after.call(clock, delayMs, callback);
    pass = callback;
    return () => {};
  };
  const wallet = await openWallet({ ...setup.options, ports: { clock } });
  setup.simulator.faults.delay("GetVtxoStatus", 60_000);
  await pay(setup, 1_000n);
  const sync = wallet.sync({ maxMs: 400_000 });
  await eventually(() => wallet.status().counters.messages === 1, "the message");
  pass();
  expect(await sync).toMatchObject({ messages: 1, applied: 0, caughtUp: false, halted: null });
});

test("a sync that is overtaken by a close ends in order", async () => {
  const setup = await setUp();
  setup.simulator.faults.delay("ReadMailbox", 60_000);
  const sync = setup.wallet.sync();
  await setup.wallet.close();
  expect(await sync).toMatchObject({ caughtUp: false });
});

/** A log whose records take a while to become durable. */
function slow(log: EventLog): EventLog {
  return new Proxy(log, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (name === "append") {
        return async (request: AppendRequest) => {
          const result = await target.append(request);
          await new Promise((resolve) => setTimeout(resolve, 20));
          return result;
        };
      }
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** A session with one method replaced. */
function instead<Name extends keyof ServerSession>(
  session: ServerSession,
  name: Name,
  method: ServerSession[Name],
): ServerSession {
  return new Proxy(session, {
    get(target, asked) {
      if (asked === name) return method;
      const member = Reflect.get(target, asked, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

async function goLiveOrBackOff({ wallet }: Setup): Promise<void> {
  wallet.start();
  await nextEvent(wallet, "connection.changed", ({ state }) => state === "Live" || state === "BackingOff");
}
