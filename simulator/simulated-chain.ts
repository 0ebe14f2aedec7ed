import { doubleSha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import type { Outpoint } from "../ark/outpoint.ts";
import { decodeTransaction, type Transaction, transactionId } from "../ark/transaction.ts";
import { SimulatorError } from "./errors.ts";
import { GENESIS_HASHES, type SimulatorNetwork } from "./network.ts";

/** How a chain source can fail: see `docs/simulator.md`. */
export const CHAIN_FAULTS = ["down", "slow", "hang", "absent", "corrupt"] as const;

/** Name of a fault of the chain source. */
export type ChainFault = (typeof CHAIN_FAULTS)[number];

/** A transaction that the chain or its mempool holds. */
export interface ChainTransaction {
  readonly txid: string;
  /** Consensus bytes, witness included. */
  readonly bytes: Uint8Array;
  readonly transaction: Transaction;
  /** Height of its block, `null` in the mempool. */
  readonly height: number | null;
}

/** Where an output was spent. */
export interface ChainSpend {
  readonly spender: ChainTransaction;
  /** Index of the spending input. */
  readonly vin: number;
}

/**
 * A deterministic chain of blocks with a mempool. It checks no proof of work and no signature: it answers what a chain
 * source is asked, which transactions exist, at which height, and what spends them.
 */
export class SimulatedChain {
  readonly #network: SimulatorNetwork;
  readonly #transactions = new Map<string, ChainTransaction>();
  /** Spending transaction and input by the spent outpoint, as `txid:vout`. */
  readonly #spends = new Map<string, { readonly txid: string; readonly vin: number }>();
  readonly #hidden = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  #tip: number;
  #fault: ChainFault | null = null;
  /** How long the fault `slow` holds an answer back. */
  slowMs = 3_000;
  /** Whether the simulated Bitcoin Core node has its transaction index complete. */
  isIndexed = true;

  constructor(network: SimulatorNetwork, tipHeight: number) {
    this.#network = network;
    this.#tip = tipHeight;
  }

  /** Height of the newest block. */
  get tip(): number {
    return this.#tip;
  }

  /** The switched fault of the HTTP interface. */
  get fault(): ChainFault | null {
    return this.#fault;
  }

  /** Makes the HTTP interface fail from the next request on; `null` heals it. Requests that hang stay unanswered. */
  setFault(fault: ChainFault | null): void {
    this.#fault = fault;
  }

  /** Adds blocks, the first of which confirms the whole mempool; @returns the new tip */
  mine(blocks = 1): number {
    if (!Number.isInteger(blocks) || blocks < 1 || blocks > 1_000_000) {
      throw new SimulatorError("OPTION_INVALID", `expected 1 … 1,000,000 blocks, got ${blocks}`);
    }
    for (const entry of this.#transactions.values()) {
      if (entry.height === null) this.#transactions.set(entry.txid, { ...entry, height: this.#tip + 1 });
    }
    this.#tip += blocks;
    for (const listener of this.#listeners) listener();
    return this.#tip;
  }

  /** Calls `listener` after blocks were added. */
  onMined(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Adds a transaction, to the mempool or to a block that exists already.
   *
   * @param bytes Consensus bytes, witness included.
   * @param height A height of at most the tip; `null` for the mempool.
   * @returns Its id in display order.
   * @throws ArkError `BAD_TRANSACTION`, SimulatorError `OPTION_INVALID`
   */
  add(bytes: Uint8Array, height: number | null): string {
    if (height !== null && (height < 0 || height > this.#tip)) {
      throw new SimulatorError("OPTION_INVALID", `expected a height of 0 … ${this.#tip}, got ${height}`);
    }
    const transaction = decodeTransaction(bytes);
    const txid = transactionId(transaction);
    this.#transactions.set(txid, { txid, bytes: Uint8Array.from(bytes), transaction, height });
    transaction.inputs.forEach(({ outpoint }, vin) => {
      this.#spends.set(outpointKey(outpoint), { txid, vin });
    });
    return txid;
  }

  /** Forgets a transaction, as a mempool does that evicts it. @throws SimulatorError `UNKNOWN_TRANSACTION` */
  evict(txid: string): void {
    if (!this.#transactions.delete(txid)) {
      throw new SimulatorError("UNKNOWN_TRANSACTION", `expected a transaction of the chain, got ${txid}`);
    }
  }

  /** Has the HTTP interface answer as if it had never seen this one transaction. */
  hide(txid: string): void {
    this.#hidden.add(txid);
  }

  /** Undoes {@link hide}. */
  show(txid: string): void {
    this.#hidden.delete(txid);
  }

  /** Whether {@link hide} is in force. */
  isHidden(txid: string): boolean {
    return this.#hidden.has(txid);
  }

  /** A transaction, hidden or not; `null` if there is none. */
  transaction(txid: string): ChainTransaction | null {
    return this.#transactions.get(txid) ?? null;
  }

  /** What spends an output; `null` while nothing does. */
  spend(outpoint: Outpoint): ChainSpend | null {
    const spend = this.#spends.get(outpointKey(outpoint));
    const spender = spend && this.#transactions.get(spend.txid);
    return spend && spender ? { spender, vin: spend.vin } : null;
  }

  /** Hash of the block at a height, in display order; `null` above the tip. */
  blockHash(height: number): string | null {
    if (!Number.isInteger(height) || height < 0 || height > this.#tip) return null;
    if (height === 0) return GENESIS_HASHES[this.#network];
    return encodeHex(doubleSha256(new TextEncoder().encode(`heartwood/block/${this.#network}/${height}`)));
  }

  /** Height of the block with that hash; `null` if there is none. */
  heightOf(hash: string): number | null {
    for (let height = this.#tip; height >= 0; height--) if (this.blockHash(height) === hash) return height;
    return null;
  }

  /** Unix seconds of the block at a height: ten minutes a block from a fixed start. */
  blockTime(height: number): number {
    return 1_600_000_000 + 600 * height;
  }
}

function outpointKey({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`;
}
