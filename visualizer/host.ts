import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf } from "heartwood";
import { Guard, type Refusal, SECURITY_HEADERS } from "./guard.ts";
import type { HistoryFeed, Question } from "./history-feed.ts";
import { type PageFiles, readPageFiles } from "./page-files.ts";
import { Viewers } from "./viewers.ts";

const LOOPBACK = "127.0.0.1";
/** Questions that are answered at once, of all pages together. */
const MOST_QUESTIONS = 16;
const MOST_CONNECTIONS = 64;
/** A page that does not take its answer in this time is let go. */
const SILENCE_MS = 60_000;
const MOST_HEADER_BYTES = 8 * 1024;
/** How long reading may go on before the page is served. */
const PATIENCE_MS = 1_500;
const LOOK_EVERY_MS = 10;
const EVENTS = "/api/events";
const UNKNOWN: Refusal = { status: 404, code: "NOT_FOUND", message: "expected an address of this page, got another" };

/** Where a page is served. */
export interface Inspection extends AsyncDisposable {
  /** Address for a browser; what stands after `#` is the key to it, so do not pass it on. */
  readonly url: string;
  readonly port: number;
  /** Ends it; the wallet or log that was looked at is left as it was. A second call waits too. */
  close(): Promise<void>;
}

/** Options of everything that serves the page. */
export interface InspectOptions {
  /** Port on 127.0.0.1; a free one unless given. */
  readonly port?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Serves the page with what it shows, until closed. The feed's history is closed with it. */
export async function serve(feed: HistoryFeed, { port = 0, signal }: InspectOptions = {}): Promise<Inspection> {
  try {
    const files = await readPageFiles();
    await caughtUp(feed, signal);
    const server = createServer({ maxHeaderSize: MOST_HEADER_BYTES, requestTimeout: SILENCE_MS, headersTimeout: SILENCE_MS });
    server.maxConnections = MOST_CONNECTIONS;
    server.listen({ host: LOOPBACK, port, exclusive: true });
    await once(server, "listening");
    const host = new Host(server, feed, files);
    const abort = (): void => void host.close();
    signal?.addEventListener("abort", abort, { once: true });
    server.once("close", () => signal?.removeEventListener("abort", abort));
    if (signal?.aborted === true) abort();
    return host;
  } catch (error) {
    await feed.history[Symbol.asyncDispose]();
    throw error;
  }
}

/** A short log is read before anybody looks at it; of a long one they see how far it is. */
async function caughtUp({ history }: HistoryFeed, signal: AbortSignal | undefined): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
    signal?.throwIfAborted();
    const { head, total, isOver } = history.progress;
    if (isOver || head === total) return;
    await delay(LOOK_EVERY_MS);
  }
}

class Host implements Inspection {
  readonly url: string;
  readonly port: number;
  readonly #server: Server;
  readonly #feed: HistoryFeed;
  readonly #files: PageFiles;
  readonly #guard: Guard;
  readonly #viewers: Viewers;
  #questions = 0;
  #closing: Promise<void> | undefined;

  constructor(server: Server, feed: HistoryFeed, files: PageFiles) {
    this.#server = server;
    this.#feed = feed;
    this.#files = files;
    this.port = (server.address() as AddressInfo).port;
    this.#guard = new Guard(this.port);
    this.#viewers = new Viewers(feed.history);
    this.url = `http://${LOOPBACK}:${this.port}/#token=${this.#guard.token}`;
    server.on("request", (request, response) => void this.#answer(request, response));
    server.on("clientError", (_, socket) => void socket.destroy());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#viewers.close();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    await this.#feed.history[Symbol.asyncDispose]();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    response.setTimeout(SILENCE_MS, () => response.destroy());
    const refusal = this.#guard.refusal(request);
    if (refusal !== undefined) return refuse(response, refusal);
    const { url = "" } = request;
    if (!URL.canParse(url, `http://${LOOPBACK}`)) return refuse(response, UNKNOWN);
    const { pathname, searchParams } = new URL(url, `http://${LOOPBACK}`);
    const file = fileAt(pathname, this.#files);
    if (file !== undefined) return send(response, 200, file.type, file.text);
    if (!this.#guard.isAuthorized(request)) {
      response.setHeader("WWW-Authenticate", "Bearer");
      return refuse(response, {
        status: 401,
        code: "UNAUTHORIZED",
        message: "expected the key of the printed address, got none or another",
      });
    }
    if (pathname === EVENTS) return this.#listen(response);
    if (this.#questions >= MOST_QUESTIONS) {
      return refuse(response, { status: 503, code: "BUSY", message: `expected at most ${MOST_QUESTIONS} questions at once` });
    }
    this.#questions++;
    await this.#reply(response, pathname, new Map(searchParams)).finally(() => this.#questions--);
  }

  #listen(response: ServerResponse): void {
    if (this.#viewers.isFull) {
      refuse(response, { status: 503, code: "TOO_MANY_VIEWERS", message: "expected at most 4 pages at once: close one" });
      return;
    }
    response.setTimeout(0);
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
    this.#viewers.add(response);
  }

  async #reply(response: ServerResponse, path: string, question: Question): Promise<void> {
    try {
      const answer = await this.#ask(path, question);
      if (answer === undefined) return refuse(response, UNKNOWN);
      send(response, 200, "application/json; charset=utf-8", JSON.stringify(answer));
    } catch (error) {
      refuse(response, describe(error));
    }
  }

  async #ask(path: string, question: Question): Promise<unknown> {
    switch (path) {
      case "/api/hello":
        return this.#feed.hello();
      case "/api/records":
        return this.#feed.records(question);
      case "/api/record":
        return this.#feed.record(question);
      case "/api/moment":
        return this.#feed.moment(question);
      case "/api/rows":
        return this.#feed.rows(question);
      case "/api/path":
        return this.#feed.path(question);
      case "/api/series":
        return this.#feed.series(question);
      case "/api/find":
        return this.#feed.find(question);
      case "/api/explain":
        return this.#feed.explain(question);
      default:
        return undefined;
    }
  }
}

function fileAt(path: string, { html, script, style }: PageFiles): { readonly type: string; readonly text: string } | undefined {
  switch (path) {
    case "/":
      return { type: "text/html; charset=utf-8", text: html };
    case "/main.js":
      return { type: "text/javascript; charset=utf-8", text: script };
    case "/style.css":
      return { type: "text/css; charset=utf-8", text: style };
    default:
      return undefined;
  }
}

/** An error of our own is told as it is; of any other only that there was one. */
function describe(error: unknown): Refusal {
  const code = codeOf(error);
  if (code === "NOT_FOUND" || code === "AMBIGUOUS_ID" || code === "BAD_OPTION") {
    return { status: code === "NOT_FOUND" ? 404 : 400, code, message: (error as Error).message };
  }
  if (code.startsWith("STORE_")) return { status: 503, code: "LOST", message: (error as Error).message };
  return { status: 500, code: "INTERNAL", message: "this could not be answered" };
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  if (status === 405) response.setHeader("Allow", "GET");
  // A body that was sent along is not read.
  response.setHeader("Connection", "close");
  send(response, status, "application/json; charset=utf-8", JSON.stringify({ code, message }));
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
