import { ancestorIds } from "../ark/exit.ts";
import { pathOf } from "../ark/lineage.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import type { Vtxo } from "../ark/vtxo.ts";
import { vtxoId } from "../ark/vtxo.ts";
import { outpointOf } from "../ark/vtxo-id.ts";
import type { ChainSource, SpendStatus } from "../chain/source.ts";
import { descentOf } from "./kin-index.ts";
import { answered } from "./vet-vtxo.ts";
import type { Coin } from "./wallet-rows.ts";

/**
 * Whether nothing but the chains of the VTXOs that hang from an anchor spends it: somebody else who has a part of them in
 * common, as in a round, exits. It brings them nearer to the chain, and their server takes them as before (vtxo.md §6.2).
 * Followed as far as all of them go the same way, and only if none of them is on chain itself.
 *
 * @param vtxo one of those that hang from it, and `coins` all of them
 * @throws Undecided where the source cannot tell; the reason of the signal
 */
export async function isSharedExit(
  vtxo: Vtxo,
  coins: readonly Coin[],
  { chain, signal }: { readonly chain: ChainSource; readonly signal: AbortSignal },
): Promise<boolean> {
  const path = [vtxo.chainAnchor, ...[...ancestorIds(vtxo), vtxoId(vtxo)].map(outpointOf)];
  const shared = sharedSteps(coins);
  const isKnown = async (txid: string) => answered("status", txid, await chain.status(txid, { signal })) !== undefined;
  for (const [index, { txid, vout }] of path.slice(0, shared).entries()) {
    const spend = answered("outspend", txid, await chain.outspend(txid, vout, { signal }));
    if (spend?.spent !== true) return spend !== undefined;
    const next = path[index + 1];
    if (next === undefined || !(await isSpender(spend, next, isKnown))) return false;
    if (coins.every((coin) => pathOf(descentOf(coin)).length === index + 2)) return false;
  }
  return true;
}

/** A source that does not name the spender knows the transaction that would be it, or does not. */
async function isSpender(
  { txid }: Extract<SpendStatus, { readonly spent: true }>,
  next: Outpoint,
  isKnown: (txid: string) => Promise<boolean>,
): Promise<boolean> {
  return txid === undefined ? isKnown(next.txid) : txid === next.txid;
}

/** How many outputs, from the anchor on, the chains of all of them go through. */
function sharedSteps(coins: readonly Coin[]): number {
  const [first = [], ...others] = coins.map((coin) => pathOf(descentOf(coin)));
  const differs = first.findIndex((point, index) => others.some((path) => path[index] !== point));
  return differs < 0 ? first.length : differs;
}
