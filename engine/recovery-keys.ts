import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Engine } from "./engine.ts";
import { LOOK_AHEAD } from "./keyring.ts";
import { RECOVERY } from "./wallet-state.ts";

/** A VTXO with the key that owns it, if its policy has one. */
interface Owned {
  readonly id: VtxoId;
  readonly owner: Uint8Array | undefined;
}

/**
 * The VTXOs that are the wallet's by their owner keys. A key far ahead becomes the last used one, durably, so that it is
 * found from there on; while some are unmatched the search is widened (mailbox.md M-67, W-50).
 *
 * @param longest how far behind the last key that was found an owner is looked for at most
 * @throws the reason of `signal`
 */
export async function findKeys(
  engine: Engine,
  found: readonly Owned[],
  longest: number,
  signal: AbortSignal,
): Promise<ReadonlySet<VtxoId>> {
  const owned = new Set<VtxoId>();
  const { keyring, loop } = engine;
  for (let lookAhead = LOOK_AHEAD; ; lookAhead = Math.min(2 * lookAhead, longest)) {
    for (let more = true; more; ) {
      more = false;
      for (const { id, owner } of found) {
        if (owner === undefined || owned.has(id)) continue;
        const index = await keyring.ownerIndex(owner, loop.pending.nextKeyIndex, signal, lookAhead);
        if (index === undefined) continue;
        owned.add(id);
        // What it takes to find this one again; and it brings others into reach.
        if (index < loop.pending.nextKeyIndex) continue;
        engine.feed({ instance: RECOVERY, event: { type: "recovery.keysFound", nextKeyIndex: index + 1 } });
        more = true;
      }
    }
    const isWhole = found.every(({ id, owner }) => owner === undefined || owned.has(id));
    if (isWhole || lookAhead >= longest) return owned;
  }
}
