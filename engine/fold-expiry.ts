import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ExpiryStage } from "../machines/expiry.machine.ts";
import type { Instance } from "../machines/step.ts";
import type { WalletState } from "./wallet-state.ts";

/** Folds a record of `expiry/main` in: the stages that it notes of VTXOs. */
export function foldExpiry(state: WalletState, { changes }: Instance["context"]): void {
  for (const { id, stage } of changes as readonly { readonly id: VtxoId; readonly stage: ExpiryStage | null }[]) {
    const coin = state.coins.get(id);
    if (coin === undefined) continue;
    const { expiryStage: _, ...others } = coin;
    state.coins.set(id, stage === null ? others : { ...others, expiryStage: stage });
  }
}
