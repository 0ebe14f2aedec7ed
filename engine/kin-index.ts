import { type Descent, kinshipOf, rootOf } from "../ark/lineage.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Coin } from "./wallet-rows.ts";

/**
 * The VTXOs of a wallet by the output that they hang from: only those of the same one can be in conflict. One payer can make
 * thousands of them, and each that is new is compared with all in one tick.
 */
export class KinIndex {
  readonly #byRoot = new Map<string, Map<VtxoId, Descent>>();

  /** Notes a VTXO; again is no harm. */
  add(coin: Coin): void {
    const descent = descentOf(coin);
    const root = rootOf(descent);
    const kin = this.#byRoot.get(root);
    if (kin === undefined) this.#byRoot.set(root, new Map([[coin.id, descent]]));
    else kin.set(coin.id, descent);
  }

  remove(coin: Coin): void {
    const root = rootOf(descentOf(coin));
    const kin = this.#byRoot.get(root);
    kin?.delete(coin.id);
    if (kin?.size === 0) this.#byRoot.delete(root);
  }

  /** Ids of VTXOs that cannot be brought on chain together with that one. */
  of(descent: Descent): readonly VtxoId[] {
    const ids: VtxoId[] = [];
    for (const other of this.#byRoot.get(rootOf(descent))?.values() ?? []) {
      if (kinshipOf(descent, other) !== "apart") ids.push(other.id);
    }
    return ids;
  }
}

/** The chain of a VTXO; those of records that an older build wrote have none, so that nothing is known of it. */
export function descentOf({ id, lineage = [] }: Pick<Coin, "id" | "lineage">): Descent {
  return { id, lineage };
}
