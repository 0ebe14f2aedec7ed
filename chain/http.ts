import { ChainError } from "./errors.ts";

/** Limits and hooks of {@link HttpReader}; the defaults follow mailbox.md §7 and W-29. */
export interface HttpOptions {
  /** Longest wait for one request, body included. Default 20 000. */
  timeoutMs?: number;
  /** How often a request answered with 429, 500 or 503 is repeated. Default 6. */
  retries?: number;
  /** Wait before the first repetition; it doubles each time. Default 256. */
  retryDelayMs?: number;
  /** No repetition starts after this. Default 60 000. */
  totalTimeoutMs?: number;
  /** A number in [0, 1) that spreads the waits between half and the whole of their length. Default `Math.random`. */
  random?: () => number;
  /** Sends the requests. Default the built-in `fetch`. */
  fetch?: typeof fetch;
}

/** The body of a request answered with 200, or `absent` for 404. */
export type HttpAnswer = { readonly kind: "found"; readonly body: Uint8Array } | { readonly kind: "absent" };

/** What {@link HttpReader.post} sends. */
export interface HttpPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Request = Partial<HttpPost> & { readonly name?: string; readonly method?: "POST" };

const REPEATED_STATUSES: ReadonlySet<number> = new Set([429, 500, 503]);

/** Reads small bodies over HTTP, bounded in time, in size and in repetitions. */
export class HttpReader {
  readonly #baseUrl: string;
  readonly #host: string;
  readonly #options: Required<HttpOptions>;

  /** @param baseUrl `http(s)` address without a trailing slash */
  constructor(baseUrl: string, options: HttpOptions = {}) {
    this.#baseUrl = baseUrl;
    this.#host = new URL(baseUrl).host;
    this.#options = {
      timeoutMs: options.timeoutMs ?? 20_000,
      retries: options.retries ?? 6,
      retryDelayMs: options.retryDelayMs ?? 256,
      totalTimeoutMs: options.totalTimeoutMs ?? 60_000,
      random: options.random ?? Math.random,
      fetch: options.fetch ?? fetch,
    };
  }

  /**
   * Gets `path`, repeating it as the options say.
   *
   * @throws ChainError `CHAIN_UNREACHABLE`, `CHAIN_TIMEOUT`, `CHAIN_HTTP_STATUS`, `CHAIN_RESPONSE_TOO_LARGE`
   * @throws the reason of `signal`
   */
  async get(path: string, maxBytes: number, signal?: AbortSignal): Promise<HttpAnswer> {
    return this.#repeat(path, {}, maxBytes, signal);
  }

  /**
   * Posts a question that changes nothing, repeating it as the options say.
   *
   * @param name what an error calls the question
   * @throws as {@link get}
   */
  async post(name: string, request: HttpPost, maxBytes: number, signal?: AbortSignal): Promise<HttpAnswer> {
    return this.#repeat("", { name, method: "POST", ...request }, maxBytes, signal);
  }

  async #repeat(path: string, request: Request, maxBytes: number, signal?: AbortSignal): Promise<HttpAnswer> {
    const { retries, retryDelayMs, totalTimeoutMs, random } = this.#options;
    const deadline = performance.now() + totalTimeoutMs;
    for (let attempt = 0; ; attempt++) {
      const result = await this.#once(path, request, maxBytes, signal);
      if (typeof result !== "number") return result;
      const delayMs = retryDelayMs * 2 ** attempt * (0.5 + random() / 2);
      if (!REPEATED_STATUSES.has(result) || attempt >= retries || performance.now() + delayMs > deadline)
        throw this.#statusError(request.name ?? path, result, attempt + 1);
      await pause(delayMs, signal);
    }
  }

  /** One request: an answer, or the status that is none. */
  async #once(path: string, request: Request, maxBytes: number, signal?: AbortSignal): Promise<HttpAnswer | number> {
    signal?.throwIfAborted();
    const { timeoutMs } = this.#options;
    const { name = path, ...init } = request;
    // Not AbortSignal.any: a wallet's signal lives long, and each combined signal would stay tied to it.
    const gaveUp = new AbortController();
    const giveUp = () => gaveUp.abort(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    const timeout = setTimeout(
      () =>
        gaveUp.abort(new ChainError("CHAIN_TIMEOUT", `expected an answer to ${this.#name(name)} in ${timeoutMs} ms, got none`)),
      timeoutMs,
    );
    try {
      const response = await this.#options.fetch(this.#baseUrl + path, { ...init, signal: gaveUp.signal });
      if (response.status === 200) return { kind: "found", body: await this.#body(name, response, maxBytes) };
      await response.body?.cancel();
      return response.status === 404 ? { kind: "absent" } : response.status;
    } catch (error) {
      if (gaveUp.signal.aborted) throw gaveUp.signal.reason;
      if (error instanceof ChainError) throw error;
      throw new ChainError("CHAIN_UNREACHABLE", `expected an answer to ${this.#name(name)}, got ${reasonOf(error)}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", giveUp);
    }
  }

  async #body(name: string, response: Response, maxBytes: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.length;
      // Leaving the loop cancels the body.
      if (length > maxBytes)
        throw new ChainError("CHAIN_RESPONSE_TOO_LARGE", `expected at most ${maxBytes} bytes from ${this.#name(name)}, got more`);
      parts.push(part);
    }
    const body = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      body.set(part, at);
      at += part.length;
    }
    return body;
  }

  #statusError(name: string, status: number, attempts: number): ChainError {
    const times = attempts === 1 ? "" : ` after ${attempts} attempts`;
    const retryable = status >= 500 || status === 408 || status === 429;
    return new ChainError("CHAIN_HTTP_STATUS", `expected status 200 or 404 from ${this.#name(name)}, got ${status}${times}`, {
      retryable,
      status,
    });
  }

  /** Host and question only: the rest of an address may hold an access token. */
  #name(question: string): string {
    return `${question} of ${this.#host}`;
  }
}

/** `fetch` hides the reason in the cause; its codes (`ECONNREFUSED`, …) are what a reader can act on. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  return error instanceof Error ? error.message : "a broken connection";
}

function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const giveUp = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", giveUp, { once: true });
  });
}
