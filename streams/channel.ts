import { type Channel, ChannelCredentials, type ChannelOptions, createChannel } from "nice-grpc";
import type { ServerAddress } from "./server-url.ts";

/** Largest message that is received, in bytes, as the reference allows (mailbox.md §2.4). */
export const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;
/**
 * Largest page of a mailbox that is received at once: a hundred VTXOs of the greatest size fit. A larger one is read as a
 * stream, message by message (DESIGN §7).
 */
export const MAX_PAGE_BYTES = 16 * 1024 * 1024;

/** How a connection is made and kept. */
export interface ConnectionOptions {
  /** Longest time for connection and handshake together; 20 s unless given. */
  readonly connectTimeoutMs?: number;
  /** An idle or silent connection is pinged this often; 20 s unless given. */
  readonly keepAliveMs?: number;
  /** A connection is dead if a ping is not answered for this long; 20 s unless given. */
  readonly keepAliveTimeoutMs?: number;
  /** Certificates (PEM) that a TLS server is checked against instead of the public roots. */
  readonly rootCertificates?: Uint8Array;
}

/** Default of {@link ConnectionOptions.connectTimeoutMs}. */
export const CONNECT_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_MS = 20_000;

/**
 * Opens a channel to a server; nothing is dialled before the first call.
 *
 * Without keep-alive a black hole on the way goes unnoticed, and the library's own receive limit of 4 MiB
 * would wedge an honest mailbox.
 */
export function openChannel(
  address: ServerAddress,
  options: ConnectionOptions,
  maxReceiveBytes: number = MAX_RECEIVE_BYTES,
): Channel {
  const { rootCertificates } = options;
  const credentials = address.secure
    ? ChannelCredentials.createSsl(rootCertificates === undefined ? null : Buffer.from(rootCertificates))
    : ChannelCredentials.createInsecure();
  // The explicit resolver keeps a host named `unix` or `xds` from being taken for another scheme.
  return createChannel(`dns:///${address.host}:${address.port}`, credentials, channelOptions(address, options, maxReceiveBytes));
}

function channelOptions(address: ServerAddress, options: ConnectionOptions, maxReceiveBytes: number): ChannelOptions {
  return {
    "grpc.max_receive_message_length": maxReceiveBytes,
    "grpc.keepalive_time_ms": options.keepAliveMs ?? KEEP_ALIVE_MS,
    "grpc.keepalive_timeout_ms": options.keepAliveTimeoutMs ?? KEEP_ALIVE_MS,
    "grpc.keepalive_permit_without_calls": 1,
    // Read by nice-grpc as the limit of one connection attempt; the library below has none.
    "grpc.min_reconnect_backoff_ms": options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    // A session owns its connection, so that closing it closes the socket.
    "grpc.use_local_subchannel_pool": 1,
    // DNS must not be able to set call options.
    "grpc.service_config_disable_resolution": 1,
    // A proxy of the environment cannot reach this machine's own loopback.
    ...(address.loopback ? { "grpc.enable_http_proxy": 0 } : {}),
  };
}
