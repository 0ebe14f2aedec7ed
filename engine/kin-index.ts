import { type Descent, rootOf } from "../ark/lineage.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Coin } from "./wallet-rows.ts";

/** Which VTXOs of a wallet hang from the same output: all with which another one can be in conflict. */
export class KinIndex {
  readonly #byRoot = new Map<string, readonly VtxoId[]>();

  /** Notes a VTXO, once. */
  add(coin: Coin): void {
    const root = rootOf(descentOf(coin));
    const ids = this.#byRoot.get(root) ?? [];
    if (!ids.includes(coin.id)) this.#byRoot.set(root, [...ids, coin.id]);
  }

  remove(coin: Coin): void {
    const root = rootOf(descentOf(coin));
    const left = (this.#byRoot.get(root) ?? []).filter((id) => id !== coin.id);
    if (left.length === 0) this.#byRoot.delete(root);
    else this.#byRoot.set(root, left);
  }

  /** Ids of VTXOs whose chains begin with the same output as that one's. */
  of(descent: Descent): readonly VtxoId[] {
    return this.#byRoot.get(rootOf(descent)) ?? [];
  }
}

/** The chain of a VTXO; those of records that an older build wrote have none, so that nothing is known of it. */
export function descentOf({ id, lineage = [] }: Pick<Coin, "id" | "lineage">): Descent {
  return { id, lineage };
}
