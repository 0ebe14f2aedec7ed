/** Every reason for which a chain source gives no answer. */
export type ChainErrorCode =
  /** The address of the source cannot be used: report it to whoever configured it. */
  | "CHAIN_BAD_URL"
  /** A txid, height or output index of a question is malformed: a bug of the caller. */
  | "CHAIN_BAD_ARGUMENT"
  /** No connection, or it broke: wait and ask again. */
  | "CHAIN_UNREACHABLE"
  /** No complete answer in time: wait and ask again. */
  | "CHAIN_TIMEOUT"
  /** A node that cannot serve a wallet, or refuses its credentials: report it to whoever runs it. */
  | "CHAIN_NODE_UNFIT"
  /** An HTTP status that is neither an answer nor "not found". */
  | "CHAIN_HTTP_STATUS"
  /** An answer that is not what the protocol says: wait and ask again, or another source. */
  | "CHAIN_BAD_RESPONSE"
  /** An answer above its size limit. */
  | "CHAIN_RESPONSE_TOO_LARGE"
  /** The source returned another transaction than the one asked for (mailbox.md §7). */
  | "CHAIN_TXID_MISMATCH"
  /** The source serves another network than the wallet's: report it. */
  | "CHAIN_WRONG_NETWORK";

const LASTING: ReadonlySet<ChainErrorCode> = new Set([
  "CHAIN_BAD_URL",
  "CHAIN_BAD_ARGUMENT",
  "CHAIN_NODE_UNFIT",
  "CHAIN_WRONG_NETWORK",
]);

/** Why a chain source could not tell, or cannot be used at all. */
export class ChainError extends Error {
  override readonly name = "ChainError";
  readonly code: ChainErrorCode;
  /** Whether waiting alone may help. An `unknown` answer is never a refusal, whatever this says. */
  readonly retryable: boolean;
  /** The HTTP status of `CHAIN_HTTP_STATUS`. */
  readonly status: number | undefined;

  constructor(code: ChainErrorCode, message: string, options: { cause?: unknown; retryable?: boolean; status?: number } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? !LASTING.has(code);
    this.status = options.status;
  }
}
