import { decodeDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import { Consumer } from "./consumer.ts";
import type { Engine } from "./engine.ts";

/**
 * Consumes messages out of the log whose kind was unknown when they came and is not any more: an older build kept them
 * (mailbox.md W-12). In the order of their checkpoints; the position stays where it is.
 *
 * @throws as `Consumer.consume`
 */
export async function recognise(engine: Engine, session: ServerSession, signal: AbortSignal): Promise<void> {
  const kept = [...engine.loop.pending.instances.values()]
    .filter(({ machine, state }) => machine === "message" && state === "Kept")
    .map(({ context }) => context as unknown as { readonly checkpoint: bigint; readonly digest: string })
    .sort((a, b) => (a.checkpoint < b.checkpoint ? -1 : 1));
  for (const { digest } of kept) {
    signal.throwIfAborted();
    const delivery = decodeDelivery(await engine.blobs.read(digest));
    // A consumer for each: that it stands before the position is no fault of the server.
    if (delivery.content.kind !== "unknown") await new Consumer(engine).consume(session, delivery, signal);
  }
}
