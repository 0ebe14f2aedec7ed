import { StreamError } from "./errors.ts";

/** Lowest protocol version this client speaks (mailbox.md §2.2). */
const MIN_PROTOCOL_VERSION = 4;
/** Highest protocol version this client speaks. */
const MAX_PROTOCOL_VERSION = 5;

/**
 * The version of a session: the smaller of the two maxima, if both sides speak it (mailbox.md C-7).
 *
 * @throws StreamError `CLIENT_TOO_OLD`, `SERVER_TOO_OLD`; `SERVER_BAD_INFO` if the server's range is empty
 */
export function negotiateVersion(server: { readonly min: bigint; readonly max: bigint }): number {
  const range = `${MIN_PROTOCOL_VERSION} to ${MAX_PROTOCOL_VERSION}`;
  if (server.min > server.max) {
    throw new StreamError("SERVER_BAD_INFO", `expected a range of protocol versions, got ${server.min} to ${server.max}`);
  }
  if (server.min > BigInt(MAX_PROTOCOL_VERSION)) {
    throw new StreamError("CLIENT_TOO_OLD", `expected a server that speaks a version of ${range}, got at least ${server.min}`);
  }
  if (server.max < BigInt(MIN_PROTOCOL_VERSION)) {
    throw new StreamError("SERVER_TOO_OLD", `expected a server that speaks a version of ${range}, got at most ${server.max}`);
  }
  return server.max < BigInt(MAX_PROTOCOL_VERSION) ? Number(server.max) : MAX_PROTOCOL_VERSION;
}
