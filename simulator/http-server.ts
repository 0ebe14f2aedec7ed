import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SimulatorError } from "./errors.ts";

/** What a handler answers: nothing when it means to leave the caller waiting. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: "text/plain" | "application/json" | "application/octet-stream";
  readonly body: string | Uint8Array;
}

/** Answers a request; `null` never answers it. */
export type HttpHandler = (request: IncomingMessage) => Promise<HttpAnswer | null>;

/** A small HTTP server that comes back on the port it first had. */
export class HttpServer {
  readonly #handler: HttpHandler;
  readonly #host: string;
  #port: number;
  #server: Server | null = null;

  /** @param port 0 for any free one. */
  constructor(host: string, port: number, handler: HttpHandler) {
    this.#host = host;
    this.#port = port;
    this.#handler = handler;
  }

  /** Base URL, meaningful once the server has listened. */
  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  /** @throws SimulatorError `LISTEN_FAILED` */
  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => {
        reject(new SimulatorError("LISTEN_FAILED", `expected port ${this.#port} to be free, got ${cause.message}`, { cause }));
      });
      server.listen(this.#port, this.#host, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes the port and every connection, answered or not. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#handler(request).catch(
      (error: unknown): HttpAnswer => ({ status: 500, type: "text/plain", body: `internal error: ${String(error)}` }),
    );
    if (!answer || response.destroyed) return;
    response.writeHead(answer.status, { "content-type": answer.type, "content-length": Buffer.byteLength(answer.body) });
    response.end(answer.body);
  }
}
