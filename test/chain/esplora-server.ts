import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server does with the next requests, by path; the last entry of a list stays. */
export type Reply =
  | { status?: number; body?: string | Uint8Array; headers?: Record<string, string> }
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** An HTTP server on the loopback that answers as it is told and remembers what it was asked. */
export class EsploraServer implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly replies = new Map<string, Reply[]>();
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<EsploraServer> {
    const started = new EsploraServer();
    await new Promise<void>((resolve) => started.#server.listen(0, "127.0.0.1", resolve));
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  reply(path: string, ...replies: Reply[]): void {
    this.replies.set(path, replies);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.requests.push(path);
    const replies = this.replies.get(path) ?? [{ status: 404, body: "not found" }];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (typeof reply === "function") {
      reply(request, response);
    } else {
      response.writeHead(reply?.status ?? 200, reply?.headers);
      response.end(reply?.body ?? "");
    }
  }
}
