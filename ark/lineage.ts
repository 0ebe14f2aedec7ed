import { ancestorIds } from "./exit.ts";
import type { Outpoint } from "./outpoint.ts";
import type { Vtxo } from "./vtxo.ts";
import { outpointOf, type VtxoId } from "./vtxo-id.ts";

/** Hex digits of a transaction id that tell it from others: 16 bytes, so that no two can be made alike. */
const TXID_DIGITS = 32;

/** A VTXO, and the outputs that its chain spends, from the chain anchor on, each as {@link lineagePoint} writes it. */
export interface Descent {
  readonly id: VtxoId;
  readonly lineage: readonly string[];
}

/**
 * How a VTXO stands to another one. Only `apart` can both be brought on chain: an ancestor was spent to make its
 * descendant, and rivals need the same output to be spent in two ways (mailbox.md W-47).
 */
export type Kinship = "apart" | "ancestor" | "descendant" | "rival";

/** An output in a lineage: enough of its transaction's id, and its index. */
export function lineagePoint({ txid, vout }: Outpoint): string {
  return `${txid.slice(0, TXID_DIGITS)}:${vout}`;
}

/** The outputs that a VTXO's chain spends, for one that was not validated a moment ago: costs a walk along the chain. */
export function lineageOf(vtxo: Vtxo): string[] {
  const spent = [vtxo.chainAnchor, ...ancestorIds(vtxo).map(outpointOf)];
  return spent.slice(0, vtxo.genesis.length).map(lineagePoint);
}

/** The output that a VTXO's chain begins with: those of VTXOs that are not apart are the same. */
export function rootOf({ id, lineage }: Descent): string {
  return lineage[0] ?? lineagePoint(outpointOf(id));
}

/** What the first of two different VTXOs is to the second. A large wallet asks this of thousands of pairs in one tick. */
export function kinshipOf(one: Descent, other: Descent): Kinship {
  let shared = 0;
  let next = stepOf(one, 0);
  let theirNext = stepOf(other, 0);
  while (next !== undefined && next === theirNext) {
    shared++;
    next = stepOf(one, shared);
    theirNext = stepOf(other, shared);
  }
  if (shared === 0) return "apart";
  if (next === undefined) return "ancestor";
  if (theirNext === undefined) return "descendant";
  return transactionOf(next) === transactionOf(theirNext) ? "apart" : "rival";
}

/** The outputs that a VTXO's chain spends, from the chain anchor on, and the VTXO itself. */
export function pathOf(descent: Descent): string[] {
  return [...descent.lineage, ownPoint(descent)];
}

function stepOf(descent: Descent, index: number): string | undefined {
  const { length } = descent.lineage;
  return index < length ? descent.lineage[index] : index === length ? ownPoint(descent) : undefined;
}

function ownPoint({ id }: Descent): string {
  return lineagePoint(outpointOf(id));
}

function transactionOf(point: string): string {
  return point.slice(0, point.indexOf(":"));
}
