/**
 * Every reason for which talking to an Ark server fails, and what to do about it.
 *
 * | code | what happened | do |
 * |---|---|---|
 * | `BAD_URL`, `PLAINTEXT_REFUSED`, `BAD_OPTION` | the caller's own input | correct it |
 * | `SERVER_UNREACHABLE` | no connection, or it was lost (gRPC 14) | repeat with backoff |
 * | `SERVER_BUSY` | the server or a proxy sheds load (gRPC 8) | repeat with backoff |
 * | `DEADLINE` | no answer in time, ours or a proxy's limit (gRPC 4) | repeat with backoff |
 * | `STREAM_RESET` | the call was cut below gRPC, or the peer cancelled it | repeat with backoff |
 * | `STREAM_ENDED` | a subscription ended cleanly: a server that shuts down | repeat with backoff |
 * | `SERVER_REJECTED`, `SERVER_NOT_FOUND` | refused, and nothing changed (gRPC 3, 5) | report, or correct the request |
 * | `SERVER_REFUSED` | not served or not allowed (gRPC 7, 12, 16), often a proxy | wait long |
 * | `SERVER_FAILED` | any other answer, mostly gRPC 13 | repeat with backoff; a subscription: wait long |
 * | `SERVER_TOO_OLD`, `CLIENT_TOO_OLD` | no protocol version in common | report |
 * | `SERVER_WRONG_NETWORK`, `SERVER_BAD_INFO` | the server contradicts the wallet or the protocol | report |
 * | `BAD_RESPONSE` | bytes that are not what the method answers with | report |
 * | `MESSAGE_TOO_LARGE` | above the receive limit | ask for less (a page: subscribe instead) |
 * | `CANCELLED` | the caller's signal was aborted | nothing |
 * | `SESSION_CLOSED` | the session was closed by its owner | nothing |
 */
export type StreamErrorCode =
  | "BAD_URL"
  | "PLAINTEXT_REFUSED"
  | "BAD_OPTION"
  | "SERVER_UNREACHABLE"
  | "SERVER_BUSY"
  | "DEADLINE"
  | "STREAM_RESET"
  | "STREAM_ENDED"
  | "SERVER_REJECTED"
  | "SERVER_NOT_FOUND"
  | "SERVER_REFUSED"
  | "SERVER_FAILED"
  | "SERVER_TOO_OLD"
  | "CLIENT_TOO_OLD"
  | "SERVER_WRONG_NETWORK"
  | "SERVER_BAD_INFO"
  | "BAD_RESPONSE"
  | "MESSAGE_TOO_LARGE"
  | "CANCELLED"
  | "SESSION_CLOSED";

/** Options of {@link StreamError}. */
export interface StreamErrorOptions {
  /** Whether repeating the same call with backoff may help; false unless given. */
  readonly retryable?: boolean;
  /** The gRPC status code of the answer, if there was one. */
  readonly grpcStatus?: number;
  /** VTXO ids that the server names as the reason. */
  readonly identifiers?: readonly string[];
  /** A local error. A server's status is not kept here: its text is not escaped. */
  readonly cause?: unknown;
}

/** A failed call, subscription or connection. Text that came from the server is escaped and cut in its message. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly code: StreamErrorCode;
  /**
   * Whether the same thing may be repeated soon, with backoff. For a subscription this is the list of
   * mailbox.md W-27; for a single call everything but a rejection (arkoor.md §13).
   */
  readonly retryable: boolean;
  readonly grpcStatus: number | undefined;
  /** VTXO ids (`txid:vout`) of the `identifiers` metadata; undefined if the server sent none (mailbox.md §3.1). */
  readonly identifiers: readonly string[] | undefined;

  constructor(code: StreamErrorCode, message: string, options: StreamErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.grpcStatus = options.grpcStatus;
    this.identifiers = options.identifiers;
  }

  /** Whether the server refused the call and changed nothing (arkoor.md §13): repeating it as it is gives the same. */
  get isRejection(): boolean {
    return this.code === "SERVER_REJECTED" || this.code === "SERVER_NOT_FOUND";
  }
}
