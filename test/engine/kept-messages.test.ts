import { expect, test } from "vitest";
import type { Transport } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { encodeMessage, encodeUnknownMessage } from "../../simulator/index.ts";
import { heldFrom } from "../../streams/credit.ts";
import { decodeDelivery, type MailboxDelivery } from "../../streams/delivery.ts";
import { StreamError } from "../../streams/errors.ts";
import { eventually, expectBooksToBalance, FastClock, goLive, openWallet, setUp } from "./helpers.ts";

const DAY_MS = 24 * 60 * 60_000;
const CUT = Uint8Array.of(0x0a, 0x7f, 1);

class LateClock extends FastClock {
  lateMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.lateMs;
  }
}

/** A transport of a build that does not know packages yet: it decodes them as later ones do what they do not know. */
const older: Transport = async (options) => {
  const session = await defaultPorts.transport(options);
  const read = session.readMailbox.bind(session);
  const asUnknown = (delivery: MailboxDelivery): MailboxDelivery =>
    delivery.content.kind === "arkoor" ? { ...delivery, content: { kind: "unknown", fieldNumbers: [1] } } : delivery;
  session.readMailbox = async (request, call) => {
    const page = await read(request, call);
    return { ...page, messages: page.messages.map(asUnknown) };
  };
  return session;
};

test("bytes that are no message, but say where they stand, are held for good, and the mailbox goes on behind them", async () => {
  const { simulator, wallet, address } = await setUp();
  let raw = new Uint8Array();
  const checkpoint = simulator.deliverRaw(address, (place) => {
    raw = Uint8Array.from([...encodeUnknownMessage(place, 99, Uint8Array.of(1)), ...CUT]);
    return raw;
  });
  expect(await wallet.sync()).toMatchObject({ messages: 1, ignored: 1, caughtUp: true, checkpoint });
  const [item] = wallet.quarantine();
  expect(item).toMatchObject({ id: null, code: "MALFORMED_MESSAGE", permanent: true, checkpoint });
  expect(await wallet.quarantinedBytes(item?.key ?? "")).toEqual(raw);
  await simulator.pay(address, { amountsSats: [1_000n] });
  expect(await wallet.sync()).toMatchObject({ applied: 1, caughtUp: true });
  expect(wallet.quarantine()).toHaveLength(1);
});

test.each(["in front of a payment", "behind a payment", "alone"])(
  "bytes that do not even say where they stand are held, %s, and stand in nobody's way",
  async (where) => {
    const { simulator, wallet, address } = await setUp();
    if (where === "behind a payment") await simulator.pay(address, { amountsSats: [1_000n] });
    for (let i = 0; i < 5; i++) simulator.deliverRaw(address, () => Uint8Array.from([...CUT, i]));
    if (where === "in front of a payment") await simulator.pay(address, { amountsSats: [1_000n] });
    // Nothing tells whether more follows what is the last of the mailbox and says no place.
    const caughtUp = where === "in front of a payment";
    expect(await wallet.sync()).toMatchObject({ messages: where === "alone" ? 5 : 6, halted: null, caughtUp });
    expect(wallet.quarantine().map(({ code, checkpoint }) => [code, checkpoint])).toEqual(
      Array.from({ length: 5 }, () => ["MALFORMED_MESSAGE", 0n]),
    );
    await goLive(wallet);
    const before = wallet.status().balance.totalSats;
    await simulator.pay(address, { amountsSats: [2_000n] });
    await eventually(() => wallet.balance().totalSats === before + 2_000n, "a payment behind them");
    expect(wallet.quarantine()).toHaveLength(5);
    expectBooksToBalance(wallet.status());
  },
);

test.each(["by itself", "beside the stream"])(
  "a sync, %s, reads behind pages that do not say where they stand, and says that it came to the end only if it did (mailbox.md W-7)",
  async (how) => {
    const { simulator, wallet: first, address, options } = await setUp({ pageLimit: 2 });
    await first.close();
    simulator.faults.haveMore = "never";
    const wallet = await openWallet({ ...options, ports: { clock: new FastClock(4) } });
    if (how === "beside the stream") {
      await goLive(wallet);
      simulator.faults.dropNotices = true; // the stream brings nothing
    }
    const garbage = (more: number): void => void simulator.deliverRaw(address, () => Uint8Array.from([...CUT, more]));
    for (const more of [1, 2, 3, 4, 5]) garbage(more);
    const { checkpoint } = await simulator.pay(address, { amountsSats: [1_000n] });
    expect(await wallet.sync()).toMatchObject({ applied: 1, ignored: 5, halted: null, caughtUp: true, checkpoint });
    for (const more of [6, 7]) garbage(more);
    expect(await wallet.sync()).toMatchObject({ applied: 0, ignored: 2, halted: null, caughtUp: false, checkpoint });
    expect(wallet.quarantine()).toHaveLength(7);
  },
);

test("a stream that never ends and says no place ends a sync after 1,000 messages", async () => {
  const { simulator, wallet: first, address, options } = await setUp();
  await first.close();
  simulator.deliverRaw(address, () => CUT);
  let sent = 0;
  const endless = async function* () {
    for (sent = 1; ; sent++) yield decodeDelivery(CUT);
  };
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    session.mailbox$ = () => heldFrom(endless, { places: 1, maxBytes: 1_000, sizeOf: () => 1 });
    return session;
  };
  const wallet = await openWallet({ ...options, ports: { clock: new FastClock(1), transport } });
  expect(await wallet.sync()).toMatchObject({ messages: 1, halted: null, caughtUp: false });
  expect(sent).toBe(1_000);
});

test("a kind that an older build did not know is kept, and processed once by a build that knows it (mailbox.md W-12)", async () => {
  const { simulator, wallet, address, options } = await setUp();
  await wallet.close();
  const before = await openWallet({ ...options, ports: { clock: new FastClock(), transport: older } });
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n] });
  const bad = await simulator.pay(address, { amountsSats: [500n], corrupt: [{ index: 0, how: "truncate" }] });
  simulator.deliverUnknown(address);
  expect(await before.sync()).toMatchObject({ messages: 3, applied: 0, ignored: 3, caughtUp: true });
  const { checkpoint } = before.status();
  expect(before.balance().totalSats).toBe(0n);
  await before.close();

  // The chain source does not answer the first time: that halts, and is no end of it.
  const after = await openWallet(options);
  simulator.chain.setFault("down");
  expect((await after.sync()).halted).not.toBeNull();
  expect(after.status()).toMatchObject({ checkpoint, counters: { messages: 3 } });
  simulator.chain.setFault(null);
  expect(await after.sync()).toMatchObject({ applied: 1, halted: null, caughtUp: true, checkpoint });
  expect(after.balance().totalSats).toBe(3_000n);
  expect(after.movements()).toMatchObject([{ effectiveBalanceSats: 3_000n }]);
  expect(after.quarantine()).toMatchObject([{ checkpoint: bad.checkpoint }]);
  expectBooksToBalance(after.status());
  await after.close();

  const again = await openWallet(options);
  expect(await again.sync()).toMatchObject({ messages: 0, applied: 0, ignored: 0 });
  expect(again.status()).toMatchObject({ balance: { totalSats: 3_000n }, checkpoint });
});

test("a kept message that only the server has, and does not give, keeps no payment back, and is asked for again", async () => {
  const { simulator, wallet, address, options } = await setUp();
  await wallet.close();
  const ports = { clock: new FastClock() };
  const before = await openWallet({ ...options, unsolicited: { bytesPerDay: 0 }, ports: { ...ports, transport: older } });
  const { checkpoint: kept } = await simulator.pay(address, { amountsSats: [1_000n] });
  await before.sync();
  await before.close();

  let fails = true;
  const transport: Transport = async (given) => {
    const session = await defaultPorts.transport(given);
    const read = session.readMailbox.bind(session);
    session.readMailbox = async (from, call) => {
      if (fails && from.after === (kept ?? 0n) - 1n) throw new StreamError("SERVER_FAILED", "an entry that cannot be decoded");
      return read(from, call);
    };
    return session;
  };
  const after = await openWallet({ ...options, ports: { ...ports, transport } });
  await simulator.pay(address, { amountsSats: [2_000n] });
  expect(await after.sync()).toMatchObject({ applied: 1, caughtUp: true });
  expect(after.balance().totalSats).toBe(2_000n);
  fails = false;
  await after.sync();
  expect(after.balance().totalSats).toBe(3_000n);
});

test("a kept message whose place could not be believed moves no checkpoint past what was never read (mailbox.md W-11)", async () => {
  const { simulator, wallet, address, options } = await setUp();
  await wallet.close();
  const clock = new LateClock();
  const before = await openWallet({ ...options, ports: { clock, transport: older } });
  const far = BigInt(Date.now() + 2 * DAY_MS) << 20n;
  const vtxos = (await simulator.createPackage(address, { amountsSats: [1_000n] })).map(({ bytes }) => bytes);
  simulator.deliverRaw(address, () => encodeMessage({ checkpoint: far, message: { $case: "arkoor", value: { vtxos } } }));
  expect(await before.sync()).toMatchObject({ ignored: 1, checkpoint: 0n });
  const [arrived] = (await before.explain(String(far))).steps;
  expect(arrived?.text).toContain("too far ahead to become the wallet's");
  expect(arrived?.rules.filter((rule) => /W-(11|23)/.test(rule))).toEqual(["mailbox.md W-11"]);
  await before.close();

  // Its time has come, and an honest server has posted since.
  clock.lateMs = 3 * DAY_MS;
  await simulator.pay(address, { amountsSats: [2_000n] });
  const after = await openWallet({ ...options, ports: { clock } });
  expect(await after.sync()).toMatchObject({ applied: 2, caughtUp: true });
  expect(after.status()).toMatchObject({ balance: { totalSats: 3_000n }, checkpoint: far });
});
