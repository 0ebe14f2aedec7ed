import { isClaimable } from "../ark/claimable.ts";
import { ancestorIds } from "../ark/exit.ts";
import { lineagePoint, pathOf } from "../ark/lineage.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import { type Vtxo, vtxoId } from "../ark/vtxo.ts";
import { outpointOf, vtxoIdOf } from "../ark/vtxo-id.ts";
import type { ChainSource, SpendStatus } from "../chain/source.ts";
import type { AnchorBreak, AnchorCode } from "../machines/anchors.machine.ts";
import { answered, Undecided } from "./undecided.ts";

/** A VTXO that hangs from an anchor. */
export interface HangingVtxo {
  /** The outputs that its chain spends, from the anchor on, and its own, as `pathOf` of `ark/lineage.ts` has them. */
  readonly path: readonly string[];
  readonly read: () => Promise<Vtxo>;
}

/** What an answer about an anchor depends on. */
export interface AnchorContext {
  readonly chain: ChainSource;
  readonly signal: AbortSignal;
  /** Blocks that an anchor transaction must be deep, its own counted (mailbox.md W-41). */
  readonly confirmations: number;
  readonly tipHeight: number;
  /** Whether a key (33 bytes) is the wallet's. */
  readonly isOwn: (publicKey: Uint8Array) => boolean;
}

/** What the chain has against VTXOs of an anchor, and the block that the anchor is in, unspent. */
export interface AnchorAnswer {
  readonly breaks: readonly AnchorBreak[];
  readonly blockHeight?: number;
}

type Spent = Extract<SpendStatus, { readonly spent: true }>;

/** An output on chain through which some VTXOs go, and where it stands in their paths. */
interface Place {
  readonly output: Outpoint;
  readonly step: number;
  readonly hanging: readonly HangingVtxo[];
}

/**
 * An anchor that may vanish or is gone is no ground for money (vtxo.md §10, mailbox.md W-41). One that was spent by the chain
 * of its VTXOs is: somebody who has a part of it in common with them, as in a round, exits, which brings them nearer to the
 * chain, and their server takes them as before. So each chain is followed to the first output that is not spent.
 *
 * @param hanging gives the VTXOs that hang from it, asked for where it is spent only
 * @throws Undecided where the source cannot tell; the reason of the signal
 */
export async function askAnchor(
  anchor: Outpoint,
  hanging: () => Promise<readonly HangingVtxo[]>,
  context: AnchorContext,
): Promise<AnchorAnswer> {
  const { chain, signal, confirmations, tipHeight } = context;
  const { txid } = anchor;
  const against = (code: AnchorCode, message: string): AnchorAnswer => ({
    breaks: [{ point: lineagePoint(anchor), code, message }],
  });
  const status = answered("status", txid, await chain.status(txid, { signal }));
  if (status === undefined) return against("ANCHOR_NOT_FOUND", `expected anchor transaction ${txid}, got none`);
  if (!status.confirmed) {
    return against("ANCHOR_UNCONFIRMED", `expected anchor transaction ${txid} in a block, got it unconfirmed`);
  }
  // The tip may be a moment older than the block.
  const depth = Math.max(1, tipHeight - status.height + 1);
  if (depth < confirmations) {
    return against("ANCHOR_UNCONFIRMED", `expected anchor transaction ${txid} with ${confirmations} confirmations, got ${depth}`);
  }
  const spend = await spendOf(anchor, context);
  if (spend === undefined) return against("ANCHOR_NOT_FOUND", `expected output ${vtxoIdOf(anchor)}, got none`);
  if (!spend.spent) return { breaks: [], blockHeight: status.height };
  return { breaks: await breaksBelow({ output: anchor, step: 0, hanging: await hanging() }, spend, context) };
}

/**
 * What the chain has against the anchor of one VTXO, or below it; undefined if nothing.
 *
 * @param lineage the outputs that its chain spends, as `lineageOf` of `ark/lineage.ts` has them
 * @throws Undecided; the reason of the signal
 */
export async function askOwnAnchor(
  vtxo: Vtxo,
  lineage: readonly string[],
  context: AnchorContext,
): Promise<AnchorBreak | undefined> {
  const hanging = [{ path: pathOf({ id: vtxoId(vtxo), lineage }), read: async () => vtxo }];
  const { breaks } = await askAnchor(vtxo.chainAnchor, async () => hanging, context);
  return breaks[0];
}

/** Follows the chains of VTXOs from an output that is spent. */
async function breaksBelow({ output, step, hanging }: Place, spend: Spent, context: AnchorContext): Promise<AnchorBreak[]> {
  const breaks: AnchorBreak[] = [];
  for (const [point, group] of groupsAt(hanging, step + 1)) {
    context.signal.throwIfAborted();
    const against = (message: string) => void breaks.push({ point, code: "ANCHOR_SPENT", message });
    const next = await nextOutput({ output, step, hanging: group }, point, spend, context);
    if (next === undefined)
      against(`expected output ${vtxoIdOf(output)} unspent, or spent by its own VTXOs, got it spent otherwise`);
    else if (group.some(({ path }) => path.length === step + 2)) {
      against(`expected a VTXO off chain, got its output ${vtxoIdOf(next)} on chain`);
    } else breaks.push(...(await breaksFrom({ output: next, step: step + 1, hanging: group }, point, context)));
  }
  return breaks;
}

async function breaksFrom(place: Place, point: string, context: AnchorContext): Promise<AnchorBreak[]> {
  const { output, step, hanging } = place;
  const spend = await spendOf(output, context);
  if (spend === undefined) throw unknownOf(output);
  if (spend.spent) return breaksBelow(place, spend, context);
  const vtxo = await hanging[0]?.read();
  const item = vtxo?.genesis[step];
  if (vtxo === undefined || item === undefined || !isClaimable(item.transition, vtxo, context.isOwn)) return [];
  // An Esplora server calls outputs unspent that it does not know at all.
  const { chain, signal } = context;
  const status = answered("status", output.txid, await chain.status(output.txid, { signal }));
  if (status === undefined) throw unknownOf(output);
  const message = `expected the next transaction of its chain on chain too, got output ${vtxoIdOf(output)}, which a former owner can take`;
  return [{ point, code: "ANCHOR_SPENT", message }];
}

/** That a source does not know what was named as a spender a moment ago says nothing of the chain (mailbox.md W-1). */
function unknownOf(output: Outpoint): Undecided {
  const message = `expected output ${vtxoIdOf(output)}, got none`;
  return new Undecided("ANCHOR_NOT_FOUND", message, { question: "outspend", subject: output.txid });
}

/** The output at a point if the chain of these VTXOs is what spends the one before; a VTXO that is the anchor has none. */
async function nextOutput(
  { output, step, hanging }: Place,
  point: string,
  { txid }: Spent,
  { chain, signal }: AnchorContext,
): Promise<Outpoint | undefined> {
  const vout = Number(point.slice(point.indexOf(":") + 1));
  if (txid !== undefined) return lineagePoint({ txid, vout }) === point ? { txid, vout } : undefined;
  // A source that does not name the spender knows the transaction that would be it, or does not.
  const vtxo = await hanging[0]?.read();
  if (vtxo === undefined) return undefined;
  const next = [...ancestorIds(vtxo), vtxoId(vtxo)].map(outpointOf)[step];
  if (next === undefined || point === lineagePoint(output)) return undefined;
  return answered("status", next.txid, await chain.status(next.txid, { signal })) === undefined ? undefined : next;
}

/** VTXOs by where their paths go at a step; those that end before stay where they end. */
function groupsAt(hanging: readonly HangingVtxo[], step: number): ReadonlyMap<string, HangingVtxo[]> {
  const groups = new Map<string, HangingVtxo[]>();
  for (const one of hanging) {
    const point = one.path[step] ?? one.path.at(-1) ?? "";
    const group = groups.get(point);
    if (group === undefined) groups.set(point, [one]);
    else group.push(one);
  }
  return groups;
}

async function spendOf({ txid, vout }: Outpoint, { chain, signal }: AnchorContext): Promise<SpendStatus | undefined> {
  return answered("outspend", txid, await chain.outspend(txid, vout, { signal }));
}
