import { rootOf } from "../ark/lineage.ts";
import type { AnchorChange, AnchoredVtxo } from "../machines/anchors.machine.ts";
import type { Instance } from "../machines/step.ts";
import { descentOf } from "./kin-index.ts";
import type { Transition } from "./transition.ts";
import type { Coin } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** Folds a record of `anchors/main` in: what is believed from here on of the anchors of VTXOs. Locks stay as they are. */
export function foldAnchors(state: WalletState, { event }: Transition, { changes }: Instance["context"]): void {
  if (event.type !== "anchors.seen") return;
  const codes = new Map((changes as readonly AnchorChange[]).map(({ anchor, code }) => [anchor, code]));
  for (const { anchor, id } of event.vtxos as readonly AnchoredVtxo[]) {
    const code = codes.get(anchor);
    const coin = state.coins.get(id);
    if (code === undefined || coin === undefined) continue;
    const { anchorCode: _, ...others } = coin;
    state.coins.set(id, code === null ? others : { ...others, anchorCode: code });
  }
}

/** Takes a new VTXO in. What is believed of the output from which it hangs holds for it too, as for change. */
export function addCoin(state: WalletState, coin: Coin): void {
  const anchor = rootOf(descentOf(coin));
  const found = state.anchorNotes().find((note) => note.isCertain && note.anchor === anchor);
  state.putCoin(found === undefined ? coin : { ...coin, anchorCode: found.code });
}
