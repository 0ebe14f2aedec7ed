import { ancestorIds } from "../ark/exit.ts";
import { lineageOf, pathOf } from "../ark/lineage.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import type { Vtxo } from "../ark/vtxo.ts";
import { vtxoId } from "../ark/vtxo.ts";
import { outpointOf } from "../ark/vtxo-id.ts";
import type { ChainSource, SpendStatus } from "../chain/source.ts";
import { answered, Undecided } from "./vet-vtxo.ts";
import type { Coin } from "./wallet-rows.ts";

/**
 * Whether nothing but the chains of the VTXOs that hang from an anchor spends it: somebody else who has a part of them in
 * common, as in a round, exits. It brings them nearer to the chain, and their server takes them as before (vtxo.md §6.2).
 * Followed as far as all of them go the same way: what is cut, or on chain itself, behind that is not noticed.
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
  if (vtxo.genesis.length === 0) return false;
  // Records of an older build say nothing of a chain: there it is read from the bytes.
  const paths = coins.map(({ id, lineage = lineageOf(vtxo) }) => pathOf({ id, lineage }));
  const shared = sharedSteps(paths);
  const isKnown = async (txid: string) => answered("status", txid, await chain.status(txid, { signal })) !== undefined;
  for (const [index, { txid, vout }] of path.slice(0, shared).entries()) {
    const spend = answered("outspend", txid, await chain.outspend(txid, vout, { signal }));
    // Of a transaction that was named as a spender a moment ago that says nothing (mailbox.md W-1).
    if (spend === undefined) throw new Undecided("ANCHOR_NOT_FOUND", `expected output ${txid}:${vout}, got none`);
    if (!spend.spent) return true;
    const next = path[index + 1];
    if (next === undefined || !(await isSpender(spend, next, isKnown))) return false;
    if (paths.every(({ length }) => length === index + 2)) return false;
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

/** How many outputs, from the anchor on, all of the ways go through. */
function sharedSteps([first = [], ...others]: readonly (readonly string[])[]): number {
  const differs = first.findIndex((point, index) => others.some((path) => path[index] !== point));
  return differs < 0 ? first.length : differs;
}
