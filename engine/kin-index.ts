import { type Descent, rootOf } from "../ark/lineage.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Coin } from "./wallet-rows.ts";

/** Which VTXOs of a wallet hang from the same output: all with which another one can be in conflict. */
export class KinIndex {
  readonly #byRoot = new Map<string, Set<VtxoId>>();

  /** Notes a VTXO; again is no harm. */
  add(coin: Coin): void {
    const root = rootOf(descentOf(coin));
    const ids = this.#byRoot.get(root);
    if (ids === undefined) this.#byRoot.set(root, new Set([coin.id]));
    else ids.add(coin.id);
  }

  remove(coin: Coin): void {
    const root = rootOf(descentOf(coin));
    const ids = this.#byRoot.get(root);
    ids?.delete(coin.id);
    if (ids?.size === 0) this.#byRoot.delete(root);
  }

  /** Ids of VTXOs whose chains begin with the same output as that one's. */
  of(descent: Descent): readonly VtxoId[] {
    return [...(this.#byRoot.get(rootOf(descent)) ?? [])];
  }
}

/** The chain of a VTXO; those of records that an older build wrote have none, so that nothing is known of it. */
export function descentOf({ id, lineage = [] }: Pick<Coin, "id" | "lineage">): Descent {
  return { id, lineage };
}
