import { pathOf, rootOf } from "../ark/lineage.ts";
import type { AnchorBreak, AnchoredVtxo, AnchorFinding, AnchorNote } from "../machines/anchors.machine.ts";
import type { Instance } from "../machines/step.ts";
import { descentOf } from "./kin-index.ts";
import type { Transition } from "./transition.ts";
import type { Coin } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** What `anchors.seen` says of a VTXO: the break that it goes through, if any, and whether that is believed. */
export interface AnchorWord {
  readonly vtxo: AnchoredVtxo;
  readonly outpoint: string;
  readonly found: AnchorBreak | undefined;
  readonly isBelieved: boolean;
}

/** What a record of `anchors/main` says of each VTXO that it names; it changes the notes, or there was none. */
export function anchorWords({ event }: Pick<Transition, "event">, { notes }: Instance["context"]): AnchorWord[] {
  const missing = (notes as readonly AnchorNote[]).filter(({ isMissing }) => isMissing).map(({ anchor }) => anchor);
  const findings = new Map(
    (event.findings as readonly AnchorFinding[]).map(({ anchor, outpoint, breaks }) => {
      return [anchor, { outpoint, found: byPoint(breaks), isBelieved: !missing.includes(anchor) }];
    }),
  );
  return (event.vtxos as readonly AnchoredVtxo[]).flatMap((vtxo): AnchorWord[] => {
    const finding = findings.get(vtxo.anchor);
    return finding === undefined ? [] : [{ ...finding, vtxo, found: finding.found.get(vtxo.point ?? "") }];
  });
}

/** Folds a record of `anchors/main` in: what is believed from here on of the anchors of VTXOs. Locks stay as they are. */
export function foldAnchors(state: WalletState, transition: Transition, context: Instance["context"]): void {
  if (transition.event.type !== "anchors.seen") return;
  for (const { vtxo, found, isBelieved } of anchorWords(transition, context)) {
    const coin = state.coins.get(vtxo.id);
    if (coin === undefined || !isBelieved) continue;
    const { anchorCode: _, ...others } = coin;
    state.coins.set(coin.id, found === undefined ? others : { ...others, anchorCode: found.code });
  }
}

/** Takes a new VTXO in. What is believed of the outputs that it goes through holds for it too, as for change. */
export function addCoin(state: WalletState, coin: Coin): void {
  const anchor = rootOf(descentOf(coin));
  const note = state.anchorNotes().find((one) => one.anchor === anchor);
  const anchorCode = note === undefined ? undefined : breakOf(coin, byPoint(note.breaks))?.code;
  state.putCoin(anchorCode === undefined ? coin : { ...coin, anchorCode });
}

/** Breaks by the output that each is about. */
export function byPoint<Break extends { readonly point: string }>(breaks: readonly Break[]): ReadonlyMap<string, Break> {
  return new Map(breaks.map((one) => [one.point, one]));
}

/** The first of some breaks that a VTXO's path goes through: thousands of VTXOs may hang from one anchor, and be asked this in a tick. */
export function breakOf<Break>(coin: Pick<Coin, "id" | "lineage">, breaks: ReadonlyMap<string, Break>): Break | undefined {
  if (breaks.size === 0) return undefined;
  for (const point of pathOf(descentOf(coin))) {
    const found = breaks.get(point);
    if (found !== undefined) return found;
  }
  return undefined;
}
