import { exitTransactions } from "../../ark/exit.ts";
import { transactionId } from "../../ark/transaction.ts";
import { decodeVtxo } from "../../ark/vtxo.ts";
import { ChainError } from "../../chain/errors.ts";
import { GENESIS_HASHES } from "../../chain/network.ts";
import type { Answer, ChainSource } from "../../chain/source.ts";
import type { Fate } from "./fate.ts";
import type { Pool, PoolVtxo, Role } from "./pool.ts";

/** How the chain source answers. `absent`: it lags, and has seen no transaction yet (mailbox.md W-1). */
export type ChainState = "up" | "down" | "absent";

/** Of the payer's coin, the checkpoint and the payment, how many transactions are on chain. */
const EXITED: { readonly [role in Role]?: number } = { "owner-exited": 1, "tree-exited": 2 };

/** A chain that holds the pool's anchors. */
export class ScriptedChain {
  /** Whether the blocks with the late anchors are in the chain, and whether they ever were. */
  #confirmed = false;
  wasConfirmed = false;
  #wasReorganized = false;
  #lateHeight = 0;
  #wasAbsent = false;
  #state: ChainState = "up";
  #tipHeight = 0;
  #highest = 0;
  /** Anchors about which it has nothing but other bytes. */
  readonly poisoned = new Set<string>();
  readonly #anchors: ReadonlyMap<string, PoolVtxo>;
  /** Transactions by the outputs that they spend. */
  readonly #spenders = new Map<string, string>();
  readonly #exits = new Set<string>();

  constructor({ vtxos, tipHeight }: Pool) {
    this.tipHeight = tipHeight;
    this.#anchors = new Map(vtxos.map((vtxo) => [vtxo.anchorTxid, vtxo]));
    for (const { bytes, role } of vtxos) {
      const exited = EXITED[role];
      const exit = exited === undefined ? [] : exitTransactions(decodeVtxo(bytes)).slice(0, exited);
      for (const transaction of exit) {
        const txid = transactionId(transaction);
        this.#exits.add(txid);
        for (const { outpoint } of transaction.inputs) this.#spenders.set(`${outpoint.txid}:${outpoint.vout}`, txid);
      }
    }
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  set confirmed(confirmed: boolean) {
    this.#wasReorganized ||= this.#confirmed && !confirmed;
    if (!this.#confirmed) this.#lateHeight = this.tipHeight + 1;
    this.#confirmed = confirmed;
    this.wasConfirmed ||= confirmed;
  }

  get state(): ChainState {
    return this.#state;
  }

  set state(state: ChainState) {
    this.#state = state;
    this.#wasAbsent ||= state === "absent";
  }

  get tipHeight(): number {
    return this.#tipHeight;
  }

  set tipHeight(height: number) {
    this.#tipHeight = height;
    this.#highest = Math.max(this.#highest, height);
  }

  /** A longer chain without the blocks with the late anchors. */
  outrun(): void {
    this.confirmed = false;
    this.grow();
  }

  /** A block more than there ever were: in the end every chain is longer than those before it. */
  grow(): void {
    this.tipHeight = this.#highest + 1;
  }

  /** Whether it ever gave reason to think that the anchor of such a VTXO is not in order. */
  hasDoubted(role: Role | undefined): boolean {
    return this.#wasAbsent || (role === "unconfirmed" && this.#wasReorganized);
  }

  #isKnown(txid: string): boolean {
    return this.state !== "absent" && (this.#anchors.has(txid) || this.#exits.has(txid));
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
          if (!this.#isKnown(txid)) return undefined;
          const role = anchor(txid)?.role;
          if (role === "unconfirmed" && !this.confirmed) return { confirmed: false } as const;
          const height = role === "unconfirmed" ? this.#lateHeight : 1;
          return { confirmed: true, height, blockHash: GENESIS_HASHES.regtest } as const;
        }),
      outspend: (txid, vout) =>
        answer(() => {
          if (!this.#isKnown(txid)) return undefined;
          const spender = this.#spenders.get(`${txid}:${vout}`);
          if (spender !== undefined) return { spent: true, txid: spender };
          return { spent: anchor(txid)?.role === "anchor-spent" };
        }),
    };
  }
}
