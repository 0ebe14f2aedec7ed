import type { VtxoId } from "../ark/vtxo-id.ts";
import { isAction } from "../machines/books.ts";
import type { Instance } from "../machines/step.ts";
import type { Transition } from "./transition.ts";
import type { WalletState } from "./wallet-state.ts";

/** Folds a record of `salvage/main` in: nothing is certain after a salvage, until the server was asked about it. */
export function foldSalvage(state: WalletState, { event, seq, atMs }: Transition, context: Instance["context"]): void {
  if (event.type === "wallet.salvaged") {
    for (const [name, live] of state.instances) if (isAction(live.machine)) state.putInstance(name, { ...live, hasGap: true });
    // What an action has locked it asks the server about itself, when it goes on.
    for (const [id, coin] of state.coins) if (coin.holder === undefined) state.coins.set(id, { ...coin, isUnsure: true });
    state.nextKeyIndex += Number(context.keyGap);
    return;
  }
  if (event.type !== "vtxos.checked") return;
  for (const id of context.unspent as readonly VtxoId[]) {
    const coin = state.coins.get(id);
    if (coin === undefined) continue;
    const { isUnsure: _, ...sure } = coin;
    state.coins.set(id, sure);
  }
  const withdrawn = context.withdrawn as readonly { readonly id: VtxoId; readonly amountSats: bigint }[];
  if (withdrawn.length === 0) return;
  const inputs = withdrawn.map(({ id }) => id);
  const amountSats = -withdrawn.reduce((sum, one) => sum + one.amountSats, 0n);
  for (const id of inputs) state.dropCoin(id);
  const { checkpoint } = state;
  const id = withdrawalId(seq);
  state.movements.set(id, { id, amountSats, inputs, outputs: [], receivedOn: [], seq, atMs, checkpoint });
}

/** Id of the movement of a record that takes VTXOs out of a salvaged wallet. */
export function withdrawalId(seq: bigint): string {
  return `salvage_withdrawal.${seq}`;
}
