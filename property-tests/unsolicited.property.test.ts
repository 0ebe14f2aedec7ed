import fc from "fast-check";
import { expect, it } from "vitest";
import { sha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import { FloodGate } from "../engine/flood-gate.ts";
import { replay } from "../engine/replay.ts";
import { RunLoop } from "../engine/run-loop.ts";
import { decodeState, encodeState } from "../engine/state-snapshot.ts";
import { decodeTransition } from "../engine/transition.ts";
import { itemsOfDay, type UnsolicitedLimits } from "../engine/unsolicited.ts";
import { WalletState } from "../engine/wallet-state.ts";
import type { MachineEvent } from "../machines/step.ts";
import { createMemoryLog } from "../store/index.ts";
import { accepted, inputOf } from "../test/machines/fixtures.ts";
import { propertyOptions } from "./options.ts";

const DAY_MS = 86_400_000;
/** Bytes that are kept whatever the budget: the record around them takes more. */
const SMALL_BYTES = 256;
const KINDS = ["unknown", "malformed", "recovery-vtxo-ids", "arkoor"];

const arrivals = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    bytes: fc.integer({ min: 0, max: 4_000 }),
    laterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: DAY_MS })),
    /** What becomes of a package: nothing yet, no answer, or no money. */
    end: fc.constantFrom("none", "package.undecided", "package.vetted"),
  }),
  { maxLength: 60 },
);

/** What a wallet does and what comes; `pay` and `answer` are the wallet's own, the others nobody asked for. */
const happenings = fc.array(
  fc.record({
    what: fc.constantFrom("pay", "pay", "answer", "answer", "repeat", "unknown"),
    laterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: DAY_MS / 4 })),
  }),
  { maxLength: 60 },
);

/** A run loop on a memory log, and a clock that is turned by hand. */
async function setUp(limits: UnsolicitedLimits) {
  const log = await createMemoryLog().open();
  const time = { nowMs: 1_700_000_000_000 };
  const clock = { nowMs: () => time.nowMs, after: () => () => {} };
  const randomness = { bytes: (length: number) => new Uint8Array(length) };
  const listener = { onCommitted: () => {}, onFailed: () => {} };
  const loop = new RunLoop({ log, committed: new WalletState(), clock, randomness, listener, limits });
  const foldedAgain = async () => {
    await loop.settled();
    const folded = new WalletState();
    await replay(log, folded);
    return folded;
  };
  return { log, time, clock, loop, foldedAgain };
}

it("whatever arrives, a day's unsolicited bytes stay within the budget, every digest is kept, and replay counts the same", async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, fc.integer({ min: 0, max: 20_000 }), async (arriving, bytesPerDay) => {
      const { log, time, loop, foldedAgain } = await setUp({ bytesPerDay, itemsPerDay: 10 });
      for (const [i, { kind, bytes, laterMs, end }] of arriving.entries()) {
        time.nowMs += laterMs;
        const digest = encodeHex(new Uint8Array(32).fill(i + 1));
        const instance = `message/${i + 1}/${digest.slice(0, 32)}`;
        const checkpoint = BigInt(i + 1);
        const event = { checkpoint, digest, kind, entries: kind === "arkoor" ? 1 : 0, notice: null, ahead: false };
        loop.dispatch({
          instance,
          event: { type: "message.received", ...event },
          blobs: [{ digest, data: new Uint8Array(bytes) }],
        });
        const answer = end === "package.vetted" ? { verdicts: [] } : { code: "NO_ANSWER", message: "" };
        if (kind === "arkoor" && end !== "none") loop.dispatch({ instance, event: { type: end, ...answer } });
      }
      await loop.settled();

      const stored = new Map<number, number>();
      const digests = new Set<string>();
      for await (const { record } of log.read({ from: 1n })) {
        const { blobs, atMs } = decodeTransition(record);
        for (const { digest, data } of blobs) {
          digests.add(digest);
          const day = Math.floor(atMs / DAY_MS);
          if (data !== undefined && data.length > SMALL_BYTES) stored.set(day, (stored.get(day) ?? 0) + data.length);
        }
      }
      for (const bytes of stored.values()) expect(bytes).toBeLessThanOrEqual(bytesPerDay);
      expect(digests.size).toBe(arriving.length);
      expect((await foldedAgain()).unsolicited).toEqual(loop.pending.unsolicited);
    }),
    propertyOptions(30),
  );
});

it("VTXOs too small to be exited count like what is no money, since a server can make any number of them for nothing", async () => {
  const { loop, time, foldedAgain } = await setUp({ bytesPerDay: 1_000_000, itemsPerDay: 10 });
  const digest = "ab".repeat(32);
  const instance = `message/7/${digest.slice(0, 32)}`;
  const event = { type: "message.received", checkpoint: 7n, digest, kind: "arkoor", entries: 3, notice: null, ahead: false };
  loop.dispatch({ instance, event, blobs: [{ digest, data: new Uint8Array(1_000) }] });
  const verdicts = [accepted(1, { flags: ["dust"] }), accepted(2), accepted(3, { flags: ["nonStandard", "dust"] })];
  loop.dispatch({ instance, event: { type: "package.vetted", verdicts } });
  expect(itemsOfDay(loop.pending, time.nowMs)).toBe(2);
  expect((await foldedAgain()).unsolicited).toEqual(loop.pending.unsolicited);
});

it("the notice of each own payment is read at full speed, on whatever day, and no server gets more read than that and the day's number", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, fc.integer({ min: 0, max: 4 }), async (happening, itemsPerDay) => {
      const limits = { bytesPerDay: 1_000_000, itemsPerDay };
      const { time, clock, loop, foldedAgain } = await setUp(limits);
      const gate = new FloodGate({ clock, limits, loop });
      const waiting: string[] = [];
      let [day, unasked, newest] = [0, 0, ""];
      for (const [i, { what, laterMs }] of happening.entries()) {
        time.nowMs += laterMs;
        const today = Math.floor(time.nowMs / DAY_MS);
        if (today !== day) [day, unasked] = [today, 0];
        if (what === "pay") {
          newest = payOut(loop, i);
          waiting.push(newest);
          continue;
        }
        // Full speed is for what was asked for, and a number of others.
        expect(gate.isFlooded()).toBe(unasked >= itemsPerDay);
        if (gate.isFlooded()) continue;
        const asked = what === "answer" ? waiting.shift() : undefined;
        // A repeated notice may be the first one about its payment: then the real one is the repetition.
        const repeated = what === "unknown" || newest === "" ? null : newest;
        const isFirst = asked === undefined && repeated !== null && waiting.includes(repeated);
        if (isFirst) waiting.splice(waiting.indexOf(repeated), 1);
        noticeOf(loop, i, asked ?? repeated);
        if (asked === undefined && !isFirst) unasked++;
      }
      expect((await foldedAgain()).unsolicited).toEqual(loop.pending.unsolicited);
    }),
    propertyOptions(100),
  );
});

it("the first notice about a payment or an invoice of the wallet's own does not count, on a later day and after its end too", async () => {
  const { loop, time, foldedAgain } = await setUp({ bytesPerDay: 1_000_000, itemsPerDay: 10 });
  const sent = payOut(loop, 1);
  const invoiced = "bb".repeat(32);
  const instance = `lightning-receive/${invoiced}`;
  const terms = { amountSats: 1_000n, description: null, cltvDelta: 216, feeSats: 0n, destination: null };
  loop.dispatch({ instance, event: { type: "invoice.requested", paymentHash: invoiced, salt: "cc".repeat(16), ...terms } });
  loop.dispatch({ instance, event: { type: "invoice.refused", code: "REFUSED", message: "" } });
  expect(loop.pending.hasFinished(instance)).toBe(true);
  time.nowMs += 3 * DAY_MS;
  const tell = (i: number, kind: string, hash: string): number => {
    takeIn(loop, i, { kind, entries: 0, notice: { kind, hash } });
    return itemsOfDay(loop.pending, time.nowMs);
  };
  const counts = [1, 2].flatMap((round) => [
    tell(10 * round, "lightning-send", sent),
    tell(10 * round + 1, "lightning-receive", invoiced),
    tell(10 * round + 2, "lightning-receive", sent),
    tell(10 * round + 3, "round", sent),
  ]);
  expect(counts).toEqual([0, 0, 1, 2, 3, 4, 5, 6]);
  const parts = [...encodeState(loop.pending.clone())];
  expect([...encodeState(await foldedAgain())]).toEqual(parts);
  for (const copy of [loop.pending.clone(), decodeState({ seq: loop.pending.seq, parts })]) expect(copy?.noticed.size).toBe(2);
});

/** Receives a VTXO and pays it out over Lightning; answers with the payment hash. */
function payOut(loop: RunLoop, i: number): string {
  const [amountSats, input] = [1_000n, i + 1];
  const instance = takeIn(loop, i, { kind: "arkoor", entries: 1, notice: null });
  const verdicts = [accepted(input, { amountSats })];
  loop.dispatch({ instance, event: { type: "package.vetted", verdicts } });
  const paymentHash = encodeHex(sha256(new Uint8Array(32).fill(input)));
  const terms = {
    invoice: "lntb",
    paymentHash,
    amountSats,
    feeSats: 0n,
    changePieces: [],
    htlcExpiryHeight: 1_000,
    refreshBlocks: 12,
  };
  const event = { type: "payment.requested", ...terms, inputs: [inputOf(input, amountSats)] };
  const { taken } = loop.dispatch({ instance: `lightning-send/${paymentHash}/0`, event });
  expect(taken).toBe(true);
  return paymentHash;
}

function noticeOf(loop: RunLoop, i: number, hash: string | null): void {
  const notice = hash === null ? null : { kind: "lightning-send", hash };
  takeIn(loop, i, { kind: "lightning-send-finished", entries: 0, notice });
}

function takeIn(loop: RunLoop, i: number, content: { kind: string; entries: number; notice: object | null }): string {
  const digest = encodeHex(new Uint8Array(32).fill(i + 1));
  const instance = `message/${i + 1}/${digest.slice(0, 32)}`;
  const event = { type: "message.received", checkpoint: BigInt(i + 1), digest, ahead: false, ...content };
  loop.dispatch({ instance, event: event as MachineEvent, blobs: [{ digest, data: new Uint8Array(20) }] });
  return instance;
}
