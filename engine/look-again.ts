import type { Verdict } from "../machines/package.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { isDue } from "./look-order.ts";
import type { OwnFailures } from "./own-failure.ts";
import { settleVerdicts } from "./settle-verdicts.ts";
import { Undecided } from "./undecided.ts";
import type { VettingContext } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/**
 * Vets one held item again and tells its machine the answer; what gets none stays as it is. One whose bytes only the
 * server has is left alone for a while after the server failed to give any.
 *
 * @throws the reason of the context's signal
 */
export async function lookAgain(
  engine: Engine,
  entry: QuarantineEntry,
  context: VettingContext,
  failures: OwnFailures,
): Promise<void> {
  const { key } = entry;
  const instance = `quarantined/${key}`;
  // Asked ahead of its time and answered as before: that changes nothing, so it is not recorded (DESIGN §7).
  const isEarly = !isDue(entry, engine.clock.nowMs());
  const { rereadPause } = engine.vetting;
  const isElsewhere = !engine.blobs.has(entry.source.digest);
  if (isElsewhere && !rereadPause.isOver()) return;
  try {
    const { verdict: vetted, blobs } = await engine.vetting.vetHeld(entry, context);
    context.signal.throwIfAborted();
    if (isElsewhere) rereadPause.end();
    // The same is decided in the tick; here it only tells whether that would be news.
    const [verdict = vetted] = settleVerdicts([vetted], entry.checkpoint, engine.loop.pending).verdicts;
    if (isEarly && verdict.kind === "refused" && verdict.item.code === entry.code) return;
    engine.feed({ instance, event: { type: "item.vetted", verdict }, blobs });
  } catch (error) {
    context.signal.throwIfAborted();
    const details = { key, code: codeOf(error), message: messageOf(error) };
    engine.ports.logger("info", "a held item could not be vetted", details);
    // An item that alone gets no answer waits longer each time; while nobody is answered, no look counts (W-22).
    if (isEarly) return;
    const isOwn = await failures.isOwn(error);
    if (!isOwn && error instanceof Undecided && error.question === "message") rereadPause.begin();
    if (!isOwn) return;
    context.signal.throwIfAborted();
    engine.feed({ instance, event: { type: "item.vetted", verdict: unchanged(entry) } });
  }
}

function unchanged({ key, heldAtMs: _, attempts: _attempts, nextTryAtMs: _next, ...item }: QuarantineEntry): Verdict {
  return { kind: "refused", key, item };
}
