import type { Verdict } from "../machines/package.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import type { OwnFailures } from "./own-failure.ts";
import { settleVerdicts } from "./settle-verdicts.ts";
import type { VettingContext } from "./vet-vtxo.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/**
 * Vets one held item again and tells its machine the answer; what gets none stays as it is.
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
  const isEarly = entry.nextTryAtMs > engine.clock.nowMs();
  try {
    const { verdict: vetted, blobs } = await engine.vetting.vetHeld(entry, context);
    context.signal.throwIfAborted();
    // The same is decided in the tick; here it only tells whether that would be news.
    const [verdict = vetted] = settleVerdicts([vetted], entry.checkpoint, engine.loop.pending).verdicts;
    if (isEarly && verdict.kind === "refused" && verdict.item.code === entry.code) return;
    engine.feed({ instance, event: { type: "item.vetted", verdict }, blobs });
  } catch (error) {
    context.signal.throwIfAborted();
    const details = { key, code: codeOf(error), message: messageOf(error) };
    engine.ports.logger("info", "a held item could not be vetted", details);
    // An item that alone gets no answer waits longer each time; while nobody is answered, no look counts (W-22).
    if (isEarly || !(await failures.isOwn(error))) return;
    context.signal.throwIfAborted();
    engine.feed({ instance, event: { type: "item.vetted", verdict: unchanged(entry) } });
  }
}

function unchanged({ key, heldAtMs: _, attempts: _attempts, nextTryAtMs: _next, ...item }: QuarantineEntry): Verdict {
  return { kind: "refused", key, item };
}
