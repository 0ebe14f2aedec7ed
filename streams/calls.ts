import { type CallOptions as GrpcCallOptions, Metadata } from "nice-grpc-common";
import { StreamError } from "./errors.ts";
import { forMany } from "./for-many.ts";
import { type CallContext, toStreamError } from "./status.ts";

/** Options of a single call. */
export interface CallOptions {
  /** Aborting it makes the call fail with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time for the answer; the session's default unless given. */
  readonly timeoutMs?: number | undefined;
}

/** What all calls of a session have in common. */
export interface CallerOptions {
  /** Sent with every call (mailbox.md §2.3). */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted, with a {@link StreamError} as its reason, when the session is closed. */
  readonly closed: AbortSignal;
  /** Default of {@link CallOptions.timeoutMs}. */
  readonly timeoutMs: number;
  /** Told the server's clock, Unix milliseconds, whenever an answer has it (mailbox.md W-31). */
  readonly onDate?: (serverMs: number) => void;
}

// What fits the 8 digits of the header (gRPC over HTTP/2, "Timeout"): 27 hours.
const MAX_TIMEOUT_MS = 99_999_999;

/** Makes gRPC calls that carry the session's headers, end with it, and fail with {@link StreamError} only. */
export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** The same caller with more headers. */
  withHeaders(headers: Readonly<Record<string, string>>): Caller {
    return new Caller({ ...this.#options, headers: { ...this.#options.headers, ...headers } });
  }

  /**
   * Runs a unary call with a deadline.
   *
   * @throws StreamError any code of a call; `DEADLINE`, `CANCELLED`, `SESSION_CLOSED` for the local reasons
   */
  async unary<T>(method: string, run: (options: GrpcCallOptions) => Promise<T>, options: CallOptions = {}): Promise<T> {
    const timeoutMs = Math.min(Math.ceil(options.timeoutMs ?? this.#options.timeoutMs), MAX_TIMEOUT_MS);
    const scope = this.#scope(method, options.signal);
    const timer = setTimeout(() => {
      const message = `expected an answer to ${method} within ${timeoutMs} ms, got none`;
      scope.abort(new StreamError("DEADLINE", message, { retryable: true }));
    }, timeoutMs);
    let context: CallContext = { kind: "unary", method, trailer: undefined };
    try {
      return await run({
        signal: scope.signal,
        metadata: this.#metadata({ "grpc-timeout": `${timeoutMs}m` }),
        onHeader: (header) => this.#noteDate(header),
        onTrailer: (trailer) => {
          context = { ...context, trailer };
        },
      });
    } catch (error) {
      throw scope.signal.aborted ? scope.signal.reason : toStreamError(error, context);
    } finally {
      clearTimeout(timer);
      scope.dispose();
    }
  }

  /**
   * Runs a server stream, without a deadline: ours would cut a running subscription (mailbox.md §2.4).
   *
   * @throws StreamError any code of a call; `STREAM_ENDED` when the server ended it in order
   */
  async *subscription<T>(
    method: string,
    run: (options: GrpcCallOptions) => AsyncIterable<T>,
    options: { readonly signal: AbortSignal; readonly onOpen?: (() => void) | undefined },
  ): AsyncGenerator<T, never> {
    const scope = this.#scope(method, options.signal);
    let context: CallContext = { kind: "subscription", method, trailer: undefined };
    try {
      yield* run({
        signal: scope.signal,
        metadata: this.#metadata({}),
        onHeader: () => options.onOpen?.(),
        onTrailer: (trailer) => {
          context = { ...context, trailer };
        },
      });
    } catch (error) {
      throw scope.signal.aborted ? scope.signal.reason : toStreamError(error, context);
    } finally {
      scope.dispose();
    }
    throw new StreamError("STREAM_ENDED", `expected ${method} to go on, got its end`, { retryable: true, grpcStatus: 0 });
  }

  #noteDate(header: Metadata): void {
    const serverMs = Date.parse(header.get("date") ?? "");
    if (Number.isFinite(serverMs)) this.#options.onDate?.(serverMs);
  }

  #metadata(headers: Readonly<Record<string, string>>): Metadata {
    return Metadata({ ...this.#options.headers, ...headers });
  }

  // `AbortSignal.any` would do, but in Node 20 it keeps what it made for as long as a source lives.
  #scope(method: string, signal: AbortSignal | undefined): Scope {
    const { closed } = this.#options;
    const controller = new AbortController();
    const onClosed = () => controller.abort(closed.reason);
    const onCancelled = () =>
      controller.abort(new StreamError("CANCELLED", `expected an answer to ${method}, got a cancellation`));
    forMany(closed).addEventListener("abort", onClosed);
    if (signal !== undefined) forMany(signal).addEventListener("abort", onCancelled);
    if (closed.aborted) onClosed();
    if (signal?.aborted) onCancelled();
    return {
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
      dispose: () => {
        closed.removeEventListener("abort", onClosed);
        signal?.removeEventListener("abort", onCancelled);
      },
    };
  }
}

interface Scope {
  readonly signal: AbortSignal;
  abort(reason: StreamError): void;
  dispose(): void;
}
