import { ChainError } from "../../chain/errors.ts";
import { GENESIS_HASHES } from "../../chain/network.ts";
import type { Answer, ChainSource } from "../../chain/source.ts";
import type { Fate } from "./fate.ts";
import type { Pool, PoolVtxo } from "./pool.ts";

/** How the chain source answers. `absent`: it lags, and has seen no transaction yet (mailbox.md W-1). */
export type ChainState = "up" | "down" | "absent";

/** A chain that holds the pool's anchors. */
export class ScriptedChain {
  state: ChainState = "up";
  /** Whether the blocks with the late anchors are in the chain, and whether they ever were. */
  #confirmed = false;
  wasConfirmed = false;
  tipHeight: number;
  /** Anchors about which it has nothing but other bytes. */
  readonly poisoned = new Set<string>();
  readonly #anchors: ReadonlyMap<string, PoolVtxo>;

  constructor({ vtxos, tipHeight }: Pool) {
    this.tipHeight = tipHeight;
    this.#anchors = new Map(vtxos.map((vtxo) => [vtxo.anchorTxid, vtxo]));
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  set confirmed(confirmed: boolean) {
    this.#confirmed = confirmed;
    this.wasConfirmed ||= confirmed;
  }

  /** The source as one process sees it. */
  source(fate: Fate): ChainSource {
    const answer = async <T>(value: () => T | undefined): Promise<Answer<T>> => {
      await fate.boundary();
      if (this.state === "down") return { kind: "unknown", error: new ChainError("CHAIN_UNREACHABLE", "the chain is down") };
      const found = value();
      return found === undefined ? { kind: "absent" } : { kind: "found", value: found };
    };
    const anchor = (txid: string) => (this.state === "absent" ? undefined : this.#anchors.get(txid));
    return {
      tip: () => answer(() => ({ height: this.tipHeight })),
      blockHash: () => answer(() => GENESIS_HASHES.regtest),
      transaction: async (txid) => {
        const found = await answer(() => anchor(txid)?.anchorBytes);
        if (found.kind !== "found" || !this.poisoned.has(txid)) return found;
        return { kind: "unknown", error: new ChainError("CHAIN_TXID_MISMATCH", "the chain has other bytes") };
      },
      status: (txid) =>
        answer(() => {
          const role = anchor(txid)?.role;
          if (role === undefined) return undefined;
          if (role === "unconfirmed" && !this.confirmed) return { confirmed: false } as const;
          return { confirmed: true, height: 1, blockHash: GENESIS_HASHES.regtest } as const;
        }),
      outspend: (txid) =>
        answer(() => {
          const role = anchor(txid)?.role;
          return role === undefined ? undefined : { spent: role === "anchor-spent" };
        }),
    };
  }
}
