import { setTimeout as sleep } from "node:timers/promises";
import { type CallContext, ServerError, type ServerMiddleware, type ServerMiddlewareCall, Status } from "nice-grpc-common";
import { type Faults, isSimulatorMethod, type SimulatorMethod } from "./faults.ts";
import { internal, NotFound } from "./rpc-status.ts";

const USER_AGENT = /^[a-z0-9_-]{1,32}\/.+$/s;

// biome-ignore lint/suspicious/noConfusingVoidType: what nice-grpc asks of a middleware
type GateAnswer<Response> = AsyncGenerator<Response, Response | void, undefined>;

/** Headers of a call that the protocol defines (mailbox.md §2.3). */
export interface CallHeaders {
  readonly userAgent: string | null;
  readonly pver: string | null;
}

/** What every call passes before its method: the count, the `x-user-agent` rule, then the switched faults. */
export class CallGate {
  readonly #faults: Faults;
  readonly #nowMs: () => number;
  readonly #counts = new Map<SimulatorMethod, number>();
  readonly #headers = new Map<SimulatorMethod, CallHeaders>();

  /** @param nowMs the server's clock, which every answer tells */
  constructor(faults: Faults, nowMs: () => number) {
    this.#faults = faults;
    this.#nowMs = nowMs;
  }

  /** How many calls of a method arrived, refused ones included. */
  count(method: SimulatorMethod): number {
    return this.#counts.get(method) ?? 0;
  }

  /** The headers of the newest call of a method. */
  lastHeaders(method: SimulatorMethod): CallHeaders | null {
    return this.#headers.get(method) ?? null;
  }

  /** The gate as a nice-grpc middleware. */
  get middleware(): ServerMiddleware {
    return (call, context) => this.#pass(call, context);
  }

  async *#pass<Request, Response>(call: ServerMiddlewareCall<Request, Response>, context: CallContext): GateAnswer<Response> {
    const name = call.method.path.slice(call.method.path.lastIndexOf("/") + 1);
    if (!isSimulatorMethod(name)) return yield* call.next(call.request, context);
    this.#note(name, context);
    context.header.set("date", new Date(this.#nowMs()).toUTCString());
    checkUserAgent(context);
    await this.#suffer(name, context);
    try {
      const response = yield* call.next(call.request, context);
      throwIfAny(this.#faults.take(name, "afterwards"));
      return response;
    } catch (error) {
      if (error instanceof NotFound) context.trailer.set("identifiers", error.identifiers.join(","));
      if (error instanceof ServerError || (error instanceof Error && error.name === "AbortError")) throw error;
      throw internal(error instanceof Error ? error.message : String(error));
    }
  }

  #note(name: SimulatorMethod, context: CallContext): void {
    this.#counts.set(name, this.count(name) + 1);
    this.#headers.set(name, {
      userAgent: context.metadata.get("x-user-agent") ?? null,
      pver: context.metadata.get("pver") ?? null,
    });
  }

  async #suffer(name: SimulatorMethod, context: CallContext): Promise<void> {
    const delayMs = this.#faults.delayMs(name);
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: context.signal });
    throwIfAny(this.#faults.take(name, "before"));
  }
}

function checkUserAgent(context: CallContext): void {
  const userAgent = context.metadata.get("x-user-agent");
  if (userAgent !== undefined && !USER_AGENT.test(userAgent)) {
    throw new ServerError(Status.INVALID_ARGUMENT, "x-user-agent must match `<name>/<version>`");
  }
}

function throwIfAny(failure: { readonly status: Status; readonly details: string } | null): void {
  if (failure) throw new ServerError(failure.status, failure.details);
}
