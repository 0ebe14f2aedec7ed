import { asObject, malformed } from "./checks.ts";
import { ChainError } from "./errors.ts";
import { type HttpOptions, HttpReader } from "./http.ts";

/** User and password of a node's RPC interface. */
export interface RpcCredentials {
  readonly user: string;
  readonly password: string;
}

/** A result, or the error that the node answered with. */
export type RpcAnswer = { readonly kind: "result"; readonly result: unknown } | { readonly kind: "error"; readonly code: number };

/** Error of a node that has just been started and cannot answer yet. */
const IN_WARMUP = -28;

/** Asks a Bitcoin Core node over JSON-RPC 2.0, one question a request. */
export class RpcReader {
  readonly #http: HttpReader;
  readonly #credentials: () => Promise<RpcCredentials>;
  #id = 0;

  constructor(url: string, credentials: () => Promise<RpcCredentials>, options: HttpOptions) {
    this.#http = new HttpReader(url, options);
    this.#credentials = credentials;
  }

  /**
   * Asks one question. The credentials are read each time: a node makes a new cookie whenever it starts.
   *
   * @throws ChainError as `HttpReader`, `CHAIN_NODE_UNFIT` if the credentials are refused, `CHAIN_BAD_RESPONSE`; the
   * reason of `signal`
   */
  async ask(method: string, params: readonly unknown[], maxBytes: number, signal?: AbortSignal): Promise<RpcAnswer> {
    const id = ++this.#id;
    const headers = { authorization: await this.#authorization(), "content-type": "application/json" };
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const answer = await this.#http.post(method, { headers, body }, maxBytes, signal).catch(explain);
    if (answer.kind === "absent") throw malformed("an answer to JSON-RPC", "status 404");
    return parseAnswer(answer.body, id, method);
  }

  async #authorization(): Promise<string> {
    const { user, password } = await this.#credentials().catch((cause: unknown) => {
      throw new ChainError("CHAIN_UNREACHABLE", "expected the credentials of the node, got a failure to read them", { cause });
    });
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    return `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }
}

function explain(error: unknown): never {
  if (error instanceof ChainError && (error.status === 401 || error.status === 403)) {
    throw new ChainError("CHAIN_NODE_UNFIT", "expected a node that takes the user and password, got a refusal", { cause: error });
  }
  throw error;
}

function parseAnswer(body: Uint8Array, id: number, method: string): RpcAnswer {
  const answer = parseObject(body);
  if (answer.id !== id) throw malformed(`the answer to question ${id}`);
  if (answer.error === undefined || answer.error === null) return { kind: "result", result: answer.result };
  const { code } = asObject(answer.error);
  if (typeof code !== "number" || !Number.isSafeInteger(code)) throw malformed("the code of an error");
  if (code === IN_WARMUP) throw new ChainError("CHAIN_UNREACHABLE", `expected an answer to ${method}, got a node that starts`);
  return { kind: "error", code };
}

function parseObject(body: Uint8Array): Record<string, unknown> {
  try {
    return asObject(JSON.parse(new TextDecoder().decode(body)));
  } catch (error) {
    throw error instanceof ChainError ? error : malformed("a JSON object");
  }
}
