import { type Descent, kinshipOf, rootOf } from "../ark/lineage.ts";
import type { VtxoId } from "../ark/vtxo-id.ts";
import type { Coin } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

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

  /** Outputs with which chains of VTXOs begin, in the order in which the first of each came. */
  roots(): Iterable<string> {
    return this.#byRoot.keys();
  }

  /** Ids of VTXOs whose chains begin with that output. */
  under(root: string): readonly VtxoId[] {
    return [...(this.#byRoot.get(root)?.keys() ?? [])];
  }
}

/** The chain of a VTXO; those of records that an older build wrote have none, so that nothing is known of it. */
export function descentOf({ id, lineage = [] }: Pick<Coin, "id" | "lineage">): Descent {
  return { id, lineage };
}

/** VTXOs of the wallet that cannot be brought on chain together with one (mailbox.md W-47). */
export function relativesOf({ coins, kin }: Readonly<WalletState>, vtxo: Pick<Coin, "id" | "lineage">): Coin[] {
  return kin.of(descentOf(vtxo)).flatMap((id) => coins.get(id) ?? []);
}

/** VTXOs of the wallet that hang from an output, as `rootOf` names it. */
export function coinsUnder({ coins, kin }: Readonly<WalletState>, root: string): Coin[] {
  return kin.under(root).flatMap((id) => coins.get(id) ?? []);
}
