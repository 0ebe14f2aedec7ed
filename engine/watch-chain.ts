import type { Engine } from "./engine.ts";
import { noteTip } from "./expiry.ts";

/**
 * What a wallet that only syncs hears of the chain: which VTXOs ran out at the tip, and whose anchors are not in order.
 * Without an answer nothing is known, and nothing recorded.
 *
 * @throws the reason of the signal
 */
export async function watchChain(engine: Engine, signal: AbortSignal): Promise<void> {
  if (engine.loop.pending.coins.size === 0) return;
  const tip = await engine.chain.tip({ signal, fresh: true });
  signal.throwIfAborted();
  if (tip.kind !== "found") return;
  noteTip(engine, tip.value.height);
  await engine.anchors.look(tip.value.height, signal, { all: true });
}
