import { ClientError, type Metadata, Status } from "nice-grpc-common";
import { parseVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import { StreamError, type StreamErrorCode } from "./errors.ts";
import { escapeServerText } from "./server-text.ts";

/** How a failed call was made, and what came with its answer. */
export interface CallContext {
  /** A subscription has its own rules for what may be repeated (mailbox.md W-27). */
  readonly kind: "unary" | "subscription";
  /** Name of the method, for the message. */
  readonly method: string;
  readonly trailer: Metadata | undefined;
}

/** Most ids kept of one `identifiers` list: a package has at most 100. */
const MAX_IDENTIFIERS = 1_000;

// How `@grpc/grpc-js` words what happened below gRPC (mailbox.md after M-24), and how the reference's stack does.
const RESET_TEXTS = ["Received RST_STREAM with code", "h2 protocol error"];
const TOO_LARGE_TEXTS = ["Received message larger than max", "Received message that decompresses to a size larger"];
const UNDECODABLE_TEXT = "Response message parsing error";

/** Codes after which a subscription is reopened with backoff, as opposed to ending the run (mailbox.md W-27). */
const REOPEN: ReadonlySet<StreamErrorCode> = new Set(["SERVER_UNREACHABLE", "SERVER_BUSY", "DEADLINE", "STREAM_RESET"]);
/** Codes that repeating the call as it is does not help. */
const FINAL: ReadonlySet<StreamErrorCode> = new Set(["SERVER_REJECTED", "SERVER_NOT_FOUND", "MESSAGE_TOO_LARGE", "BAD_RESPONSE"]);

/**
 * Turns what a gRPC call failed with into a {@link StreamError} (mailbox.md §3.1, W-27; arkoor.md §13).
 *
 * A local cancellation must be recognised before: here it would look like one of the peer.
 */
export function toStreamError(error: unknown, context: CallContext): StreamError {
  if (error instanceof StreamError) return error;
  if (!(error instanceof ClientError)) {
    return new StreamError("SERVER_FAILED", `expected an answer to ${context.method}, got a local failure`, {
      cause: error,
      retryable: context.kind === "unary",
    });
  }
  const code = codeOf(error);
  const text = escapeServerText(error.details);
  const name = Status[error.code] ?? String(error.code);
  return new StreamError(code, `expected an answer to ${context.method}, got ${name}: ${text}`, {
    retryable: context.kind === "subscription" ? isReopened(code, error.code) : !FINAL.has(code),
    grpcStatus: error.code,
    ...identifiersOf(context.trailer),
  });
}

/**
 * The VTXO ids of the `identifiers` metadata: comma-separated; what is no VTXO id is ignored (arkoor.md §13).
 */
export function parseIdentifiers(text: string): VtxoId[] {
  const ids: VtxoId[] = [];
  for (const part of text.split(",", MAX_IDENTIFIERS)) {
    try {
      ids.push(parseVtxoId(part.trim()));
    } catch {
      // A payment hash or a token: allowed, and of no use here.
    }
  }
  return ids;
}

function identifiersOf(trailer: Metadata | undefined): { identifiers?: readonly VtxoId[] } {
  const text = trailer?.get("identifiers");
  return typeof text === "string" ? { identifiers: parseIdentifiers(text) } : {};
}

function isReopened(code: StreamErrorCode, status: Status): boolean {
  // UNKNOWN never comes from the reference server; it is how transports report what they have no word for.
  return REOPEN.has(code) || status === Status.UNKNOWN;
}

function codeOf(error: ClientError): StreamErrorCode {
  switch (error.code) {
    case Status.INVALID_ARGUMENT:
      return "SERVER_REJECTED";
    case Status.NOT_FOUND:
      return "SERVER_NOT_FOUND";
    case Status.PERMISSION_DENIED:
    case Status.UNAUTHENTICATED:
    case Status.UNIMPLEMENTED:
      return "SERVER_REFUSED";
    case Status.UNAVAILABLE:
      return "SERVER_UNREACHABLE";
    case Status.DEADLINE_EXCEEDED:
      return "DEADLINE";
    case Status.CANCELLED:
      return "STREAM_RESET";
    case Status.RESOURCE_EXHAUSTED:
      return startsWithOne(error.details, TOO_LARGE_TEXTS) ? "MESSAGE_TOO_LARGE" : "SERVER_BUSY";
    case Status.INTERNAL:
      if (startsWithOne(error.details, RESET_TEXTS)) return "STREAM_RESET";
      return error.details.startsWith(UNDECODABLE_TEXT) ? "BAD_RESPONSE" : "SERVER_FAILED";
    default:
      return "SERVER_FAILED";
  }
}

function startsWithOne(text: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => text.startsWith(beginning));
}
