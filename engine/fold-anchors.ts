import { pathOf, rootOf } from "../ark/lineage.ts";
import type { AnchorBreak, AnchorCode, AnchoredVtxo, AnchorFinding, AnchorNote } from "../machines/anchors.machine.ts";
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
  const findings = new Map((event.findings as readonly AnchorFinding[]).map((finding) => [finding.anchor, finding]));
  const doubtful = (notes as readonly AnchorNote[]).filter(({ isMissing }) => isMissing).map(({ anchor }) => anchor);
  return (event.vtxos as readonly AnchoredVtxo[]).flatMap((vtxo): AnchorWord[] => {
    const finding = findings.get(vtxo.anchor);
    if (finding === undefined) return [];
    const found = finding.breaks.find(({ point }) => point === vtxo.point);
    return [{ vtxo, outpoint: finding.outpoint, found, isBelieved: !doubtful.includes(vtxo.anchor) }];
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
  const anchorCode = note === undefined ? undefined : breakOf(coin, note.breaks)?.code;
  state.putCoin(anchorCode === undefined ? coin : { ...coin, anchorCode });
}

/** The first of some breaks that a VTXO's path goes through. */
export function breakOf<Break extends { readonly point: string; readonly code: AnchorCode }>(
  coin: Pick<Coin, "id" | "lineage">,
  breaks: readonly Break[],
): Break | undefined {
  if (breaks.length === 0) return undefined;
  const byPoint = new Map(breaks.map((one) => [one.point, one]));
  for (const point of pathOf(descentOf(coin))) {
    const found = byPoint.get(point);
    if (found !== undefined) return found;
  }
  return undefined;
}
