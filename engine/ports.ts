import type { ServerSession, SessionOptions } from "../streams/session.ts";
import type { Drivers } from "./drives.ts";

/** The only clock of the engine. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Calls back after a while; the answer cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The only randomness of the engine: authorizations, attestations, backoff. */
export interface Randomness {
  bytes(length: number): Uint8Array;
}

/** Opens a session with an Ark server; `openSession` of streams/ unless replaced. */
export type Transport = (options: SessionOptions) => Promise<ServerSession>;

/** What the engine has to say to a developer. Silent unless one is given; never told a secret. */
export type Logger = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** Everything outside that the engine uses, replaceable for tests. */
export interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly transport: Transport;
  readonly logger: Logger;
  /** Who looks at what a notice of the mailbox is about (mailbox.md W-24). */
  readonly drivers: Drivers;
}
