import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { encodeRefusal, OwnerRefusal } from "./owner-refusal.ts";
import { listenIn } from "./owner-socket.ts";

/** Answers a request with bytes or a JSON text, of bounded size; `signal` says that nobody waits for it any more. */
export type Route = (query: URLSearchParams, signal: AbortSignal) => Promise<Uint8Array | string>;

/** What an owner answers, by path. A path begins with the version of what it answers: `/v1/head`. */
export type Routes = Readonly<Record<string, Route>>;

/** Requests answered at a time; another one is told to come again. */
const REQUESTS_MAX = 8;
/** Connections at a time; another one is closed unanswered. */
const CONNECTIONS_MAX = 32;
/** How long a client may send or read nothing, unless told otherwise. */
const IDLE_MS = 1_000;
const HEADER_BYTES_MAX = 4_096;

/**
 * What the process that has a store open tells others, over a socket in the directory: HTTP/1.1, each request of its own
 * connection, each answer whole in memory before it is sent. Nothing that a client does holds the owner up.
 */
export class OwnerService implements AsyncDisposable {
  readonly #routes: Routes;
  readonly #server: Server;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #sockets = new Set<Socket>();
  #remove: () => Promise<void> = async () => undefined;
  #answering = 0;

  private constructor(routes: Routes, idleMs: number) {
    this.#routes = routes;
    const limits = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: idleMs, requestTimeout: idleMs };
    this.#server = createServer({ ...limits, connectionsCheckingInterval: idleMs / 4 }, (request, response) => {
      const running = this.#serve(request, response).finally(() => this.#running.delete(running));
      this.#running.add(running);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    // What follows the first request of a connection is never served: its answer would wait for a socket for ever.
    this.#server.maxRequestsPerSocket = 1;
    this.#server.setTimeout(idleMs);
    this.#server.on("connection", (socket) => this.#keep(socket));
    this.#server.on("clientError", refuseMalformed);
    // A program that forgets to close its wallet ends all the same.
    this.#server.unref();
  }

  /**
   * Begins to answer in a directory whose lock the caller holds. Fails as the file system does; not on Windows, where
   * there are no sockets in directories.
   */
  static async offer(directory: string, routes: Routes, idleMs = IDLE_MS): Promise<OwnerService> {
    const service = new OwnerService(routes, idleMs);
    service.#remove = await listenIn(directory, service.#server);
    return service;
  }

  /** Takes the socket away, cuts every connection, and waits until nothing reads the store any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([this.#remove(), ...this.#running]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // The address can still be reached for a moment after the others were cut.
    if (this.#closing.signal.aborted) socket.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const { socket } = request;
    // The connection's end, not the response's: that one may never come.
    const ended = new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));
    void ended.then(() => gone.abort());
    request.resume();
    response.setHeader("Connection", "close");
    this.#answering++;
    try {
      if (this.#answering > REQUESTS_MAX) throw new OwnerRefusal("OWNER_BUSY", `more than ${REQUESTS_MAX} requests at a time`);
      const answer = await this.#answer(request, AbortSignal.any([gone.signal, this.#closing.signal]));
      send(response, 200, answer);
    } catch (error) {
      send(response, error instanceof OwnerRefusal ? error.status : 500, encodeRefusal(error));
    }
    await ended;
    this.#answering--;
  }

  async #answer({ method, url = "" }: IncomingMessage, signal: AbortSignal): Promise<Uint8Array | string> {
    const [path = "", query = ""] = url.split("?", 2);
    const route = Object.hasOwn(this.#routes, path) ? this.#routes[path] : undefined;
    if (method !== "GET") throw new OwnerRefusal("OWNER_BAD_REQUEST", "expected GET, got another method");
    if (route === undefined)
      throw new OwnerRefusal("OWNER_UNKNOWN_ROUTE", "expected a path that this build answers, got another");
    return route(new URLSearchParams(query), signal);
  }
}

function send(response: ServerResponse, status: number, body: Uint8Array | string): void {
  if (response.destroyed) return;
  const type = typeof body === "string" ? "application/json" : "application/octet-stream";
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, { "Content-Type": type, "Content-Length": bytes.length });
  response.end(bytes);
}

function refuseMalformed(_: Error, socket: Socket): void {
  // Sent to somebody who was refused already, or is gone.
  if (!socket.writable) return void socket.destroy();
  const body = encodeRefusal(new OwnerRefusal("OWNER_BAD_REQUEST", "expected an HTTP request, got something else"));
  const head = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n`;
  socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  // Does not wait for the client to end its side.
  socket.destroySoon();
}
