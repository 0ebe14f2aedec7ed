/**
 * Every reason for which the engine refuses, and what to do about it.
 *
 * | code | what to do |
 * |---|---|
 * | `BAD_OPTION` | correct the option named in the message |
 * | `WALLET_NOT_CREATED` | open with `create`, or name the right directory |
 * | `WALLET_EXISTS` | a seed is restored into a directory of its own: name an empty one, or sync the wallet that is there |
 * | `WALLET_SEED_MISMATCH` | the directory belongs to another seed: use that one |
 * | `WALLET_WRONG_NETWORK` | the directory, server or chain is of another network |
 * | `SERVER_KEY_CHANGED` | the server is not the one this wallet trusts: leave its VTXOs, use a new directory |
 * | `MAILBOX_KEY_CHANGED` | old addresses no longer receive there: as above |
 * | `SERVER_NOT_SEEN` | no address can be made before the first connection: run or sync once |
 * | `WALLET_CLOSED`, `WALLET_FAILED` | open it again; the cause says why it failed |
 * | `WALLET_RECONCILING` | the log was salvaged: connect once, so that the server can say what is unspent |
 * | `WALLET_RESTORING` | the seed is not restored to its end: connect until `status().restore` says `restored`, or end it with `endRestore()` |
 * | `MAILBOX_STUCK` | the server repeats itself: tried again after a wait |
 * | `MAILBOX_FLOODED` | the server sent more in a day that is no money than is taken at full speed: tried again after a wait |
 * | `LOG_UNREADABLE` | a record of a newer build: upgrade; or damage: see the cause |
 * | `MIGRATION_FAILED` | what an older build began cannot be gone on with: finish it with that build, or upgrade further |
 * | `LOG_MISMATCH` | replay disagrees with the record: report it |
 * | `NOT_FOUND` | no such entry in this wallet |
 * | `AMBIGUOUS_ID` | a cut id fits several: give more of it |
 * | `NOT_CONNECTED` | start the wallet, or sync |
 * | `BAD_ADDRESS` | the address is none, or of another network or server, or nothing can be delivered to it: see the cause |
 * | `BAD_AMOUNT` | correct the amount |
 * | `INSUFFICIENT_FUNDS` | wait for money, or pay less: the message says what is spendable |
 * | `CHAIN_UNAVAILABLE` | the chain source told no tip: try again |
 * | `INVOICE_FAILED` | no invoice was made; the cause says why: ask for another one |
 * | `NOT_CANCELLABLE` | the payment is on its way in, or over: wait for its end |
 * | `BAD_INVOICE` | the invoice cannot be read, is of another network, expired, or of another amount: see the cause |
 * | `INVOICE_PAID` | nothing: it was paid, and `proofOfPayment` has the preimage; after `giveUp`, which leaves that open: ask for another invoice |
 * | `FEE_TOO_HIGH` | allow more, or leave it |
 * | `QUOTE_STALE` | ask for a new quote: what this one says does not hold any more |
 * | `VTXOS_EXPIRE` | refresh first: what the wallet has runs out before the payment would be over |
 * | `LIGHTNING_UNAVAILABLE` | the server is too old, or would lock the money for too long |
 * | `PAYMENT_FAILED` | nothing was paid; the cause says why |
 */
export type HeartwoodErrorCode =
  | "BAD_OPTION"
  | "WALLET_NOT_CREATED"
  | "WALLET_EXISTS"
  | "WALLET_SEED_MISMATCH"
  | "WALLET_WRONG_NETWORK"
  | "SERVER_KEY_CHANGED"
  | "MAILBOX_KEY_CHANGED"
  | "SERVER_NOT_SEEN"
  | "WALLET_CLOSED"
  | "WALLET_FAILED"
  | "WALLET_RECONCILING"
  | "WALLET_RESTORING"
  | "MAILBOX_STUCK"
  | "MAILBOX_FLOODED"
  | "LOG_UNREADABLE"
  | "LOG_MISMATCH"
  | "MIGRATION_FAILED"
  | "NOT_FOUND"
  | "AMBIGUOUS_ID"
  | "NOT_CONNECTED"
  | "BAD_ADDRESS"
  | "BAD_AMOUNT"
  | "INSUFFICIENT_FUNDS"
  | "CHAIN_UNAVAILABLE"
  | "INVOICE_FAILED"
  | "NOT_CANCELLABLE"
  | "BAD_INVOICE"
  | "INVOICE_PAID"
  | "FEE_TOO_HIGH"
  | "QUOTE_STALE"
  | "VTXOS_EXPIRE"
  | "LIGHTNING_UNAVAILABLE"
  | "PAYMENT_FAILED";

/** A refusal of the engine. */
export class HeartwoodError extends Error {
  override readonly name = "HeartwoodError";
  readonly code: HeartwoodErrorCode;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** Where in the log it is, for `LOG_UNREADABLE` and `LOG_MISMATCH`. */
  readonly place: { readonly seq?: bigint };

  constructor(
    code: HeartwoodErrorCode,
    message: string,
    options: { retryable?: boolean; cause?: unknown; place?: { readonly seq: bigint } } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.place = options.place ?? {};
  }
}

/** The stable code of any error of Heartwood, or `UNEXPECTED`. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNEXPECTED";
}

/** The text of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
