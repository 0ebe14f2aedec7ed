import { setTimeout as sleep } from "node:timers/promises";
import { createServer, type Server } from "nice-grpc";
import { ArkServiceDefinition, type ArkServiceImplementation } from "../proto/generated/bark_server.ts";
import type { CallGate } from "./call-gate.ts";
import { SimulatorError } from "./errors.ts";
import { HealthServiceDefinition, healthService } from "./health-service.ts";
import type { MailboxService } from "./mailbox-service.ts";
import { RawMailboxServiceDefinition } from "./mailbox-wire.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** How long a clean stop waits for calls in flight before it breaks them off. */
const GRACE_MS = 500;

/** What the server serves. */
export interface GrpcServerParts {
  readonly ark: ArkServiceImplementation;
  readonly mailbox: MailboxService;
  readonly gate: CallGate;
  readonly subscriptions: Subscriptions;
}

/** Both services on one port. It can go down and come back on the same port with everything it knew. */
export class GrpcServer {
  readonly #parts: GrpcServerParts;
  readonly #host: string;
  #port: number;
  #server: Server | null = null;

  /** @param port 0 for any free one. */
  constructor(host: string, port: number, parts: GrpcServerParts) {
    this.#host = host;
    this.#port = port;
    this.#parts = parts;
  }

  /** What clients connect to, meaningful once the server has listened. */
  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  get running(): boolean {
    return this.#server !== null;
  }

  /** Begins to listen; nothing happens if it does already. @throws SimulatorError `LISTEN_FAILED` */
  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer();
    server.with(this.#parts.gate.middleware).add(ArkServiceDefinition, this.#parts.ark);
    server.with(this.#parts.gate.middleware).add(RawMailboxServiceDefinition, this.#parts.mailbox);
    server.add(HealthServiceDefinition, healthService);
    try {
      this.#port = await server.listen(`${this.#host}:${this.#port}`);
    } catch (cause) {
      throw new SimulatorError("LISTEN_FAILED", `expected port ${this.#port} to be free, got ${String(cause)}`, { cause });
    }
    this.#server = server;
  }

  /**
   * Stops listening. A clean stop ends the subscriptions with status OK and gives other calls half a second; an
   * abrupt one breaks every connection at once.
   */
  async stop(how: "clean" | "abrupt" = "clean"): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    if (how === "clean") {
      this.#parts.subscriptions.endAll();
      const timer = new AbortController();
      const timeout = sleep(GRACE_MS, undefined, { signal: timer.signal }).catch(() => undefined);
      await Promise.race([server.shutdown().catch(() => undefined), timeout]);
      timer.abort();
    }
    server.forceShutdown();
  }
}
