import { decodeDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import { Consumer } from "./consumer.ts";
import type { Engine } from "./engine.ts";
import { rereadMessage } from "./reread.ts";

/**
 * Consumes messages out of the log whose kind was unknown when they came and is not any more: an older build kept them
 * (mailbox.md W-12). In the order of their checkpoints; the position stays where it is. Those whose bytes were above the
 * day's budget are read from the server again.
 *
 * @throws as `Consumer.consume`; Undecided if the server does not give them
 */
export async function recognise(engine: Engine, session: ServerSession, signal: AbortSignal): Promise<void> {
  const kept = [...engine.loop.pending.instances.values()]
    .filter(({ machine, state }) => machine === "message" && state === "Kept")
    .map(({ context }) => context as unknown as { readonly checkpoint: bigint; readonly digest: string })
    .sort((a, b) => (a.checkpoint < b.checkpoint ? -1 : 1));
  for (const { digest, checkpoint } of kept) {
    signal.throwIfAborted();
    const isInLog = engine.blobs.has(digest);
    const delivery = isInLog
      ? decodeDelivery(await engine.blobs.read(digest))
      : await rereadMessage(engine, { digest, checkpoint }, signal);
    if (delivery === undefined) continue; // the server has it no more; it stays kept, by its digest
    // A consumer for each: that it stands before the position is no fault of the server.
    if (delivery.content.kind !== "unknown") await new Consumer(engine).consume(session, delivery, signal);
  }
}
