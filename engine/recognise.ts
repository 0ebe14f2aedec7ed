import { decodeDelivery, type MailboxDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import { Consumer } from "./consumer.ts";
import type { Engine } from "./engine.ts";
import { rereadMessage } from "./reread.ts";
import { Undecided } from "./undecided.ts";

/**
 * Consumes messages out of the log whose kind was unknown when they came and is not any more: an older build kept them
 * (mailbox.md W-12). In the order of their checkpoints; the position stays where it is. Those whose bytes were above the
 * day's budget are read from the server again; one that it does not give keeps nothing else back.
 *
 * @returns whether the server gave all of them
 * @throws as `Consumer.consume`
 */
export async function recognise(engine: Engine, session: ServerSession, signal: AbortSignal): Promise<boolean> {
  let isWhole = true;
  const kept = [...engine.loop.pending.instances.values()]
    .filter(({ machine, state }) => machine === "message" && state === "Kept")
    .map(({ context }) => context as unknown as { readonly checkpoint: bigint; readonly digest: string })
    .sort((a, b) => (a.checkpoint < b.checkpoint ? -1 : 1));
  for (const { digest, checkpoint } of kept) {
    signal.throwIfAborted();
    const isInLog = engine.blobs.has(digest);
    let delivery: MailboxDelivery | undefined;
    try {
      delivery = isInLog
        ? decodeDelivery(await engine.blobs.read(digest))
        : await rereadMessage(engine, { digest, checkpoint }, signal);
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      isWhole = false;
      engine.ports.logger("info", "a message of a new kind could not be read again", { checkpoint, code: error.code });
    }
    if (delivery === undefined) continue; // the server has it no more, or not now; it stays kept, by its digest
    // A consumer for each: that it stands before the position is no fault of the server. Where its place could not be
    // believed when it came, what stands before it may never have been read (mailbox.md W-11).
    if (delivery.content.kind !== "unknown") await new Consumer(engine, { ahead: true }).consume(session, delivery, signal);
  }
  return isWhole;
}
