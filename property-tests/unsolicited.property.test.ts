import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeHex } from "../ark/hex.ts";
import { replay } from "../engine/replay.ts";
import { RunLoop } from "../engine/run-loop.ts";
import { decodeTransition } from "../engine/transition.ts";
import { WalletState } from "../engine/wallet-state.ts";
import { createMemoryLog } from "../store/index.ts";
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

it("whatever arrives, a day's unsolicited bytes stay within the budget, every digest is kept, and replay counts the same", async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, fc.integer({ min: 0, max: 20_000 }), async (arriving, bytesPerDay) => {
      const log = await createMemoryLog().open();
      const committed = new WalletState();
      let nowMs = 1_700_000_000_000;
      const clock = { nowMs: () => nowMs, after: () => () => {} };
      const randomness = { bytes: (length: number) => new Uint8Array(length) };
      const listener = { onCommitted: () => {}, onFailed: () => {} };
      const loop = new RunLoop({ log, committed, clock, randomness, listener, limits: { bytesPerDay, itemsPerDay: 10 } });
      for (const [i, { kind, bytes, laterMs, end }] of arriving.entries()) {
        nowMs += laterMs;
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
      const folded = new WalletState();
      await replay(log, folded);
      expect(folded.unsolicited).toEqual(loop.pending.unsolicited);
    }),
    propertyOptions(30),
  );
});
