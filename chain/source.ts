import type { ChainError } from "./errors.ts";

/**
 * What a chain source says to a question (mailbox.md §7).
 *
 * Only `absent` may ever lead to a refusal, and not even that at once (W-1): a source can lag.
 * `unknown` says nothing about the chain; the question is asked again later.
 */
export type Answer<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "absent" }
  | { readonly kind: "unknown"; readonly error: ChainError };

/** Options of every question. */
export interface QuestionOptions {
  /** Gives the question up; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Options of {@link ChainSource.tip}. */
export interface TipOptions extends QuestionOptions {
  /** Ask the source even if a cached tip is young enough, as a sync does once it has read to its end. */
  fresh?: boolean;
}

/** Height of the best block. */
export interface ChainTip {
  readonly height: number;
}

/** Where a transaction stands. Height and block hash (display order) are there when it is confirmed. */
export type TransactionStatus =
  | { readonly confirmed: false }
  | { readonly confirmed: true; readonly height: number; readonly blockHash: string };

/** Whether an output is spent, in a block or in the mempool, and by which transaction if the source says so. */
export type SpendStatus = { readonly spent: false } | { readonly spent: true; readonly txid?: string };

/**
 * The few questions a wallet asks about the chain.
 *
 * Ids and block hashes are 64 lower-case hex digits in display order. No method rejects but for the
 * caller's own signal and for a malformed argument (`CHAIN_BAD_ARGUMENT`): trouble with the source
 * is the answer `unknown`.
 */
export interface ChainSource {
  /** The best block. A cached answer is at most 1 s old. Never `absent`. */
  tip(options?: TipOptions): Promise<Answer<ChainTip>>;
  /**
   * The time of the best block, in Unix milliseconds. Never `absent`. A source need not have it: then the clock of this
   * machine alone says what lies in the future (mailbox.md W-11).
   */
  tipTime?(options?: QuestionOptions): Promise<Answer<number>>;
  /**
   * The consensus bytes of a transaction, in a block or in the mempool: found is not confirmed.
   * Bytes with another txid are `unknown` with `CHAIN_TXID_MISMATCH`, never an answer.
   */
  transaction(txid: string, options?: QuestionOptions): Promise<Answer<Uint8Array>>;
  /** Whether and where a transaction is confirmed (mailbox.md W-41). */
  status(txid: string, options?: QuestionOptions): Promise<Answer<TransactionStatus>>;
  /** Whether an output is spent. Means something only once its transaction is known to be confirmed. */
  outspend(txid: string, vout: number, options?: QuestionOptions): Promise<Answer<SpendStatus>>;
  /** Hash of the block at a height; `absent` above the tip. */
  blockHash(height: number, options?: QuestionOptions): Promise<Answer<string>>;
}
