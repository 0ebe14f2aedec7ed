import { createHash } from "node:crypto";
import { type ChainSource, type Clock, esplora, type Ports } from "../../../engine/index.ts";
import type { Simulator } from "../../../simulator/index.ts";
import { openSession } from "../../../streams/session.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #waiting = new Map<() => void, number>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const call = (): void => callback();
    this.#waiting.set(call, this.#nowMs + delayMs);
    // Whoever waits no time lets others have their turn.
    if (delayMs === 0) setImmediate(() => this.advance(0));
    return () => void this.#waiting.delete(call);
  }

  /** Whether somebody waits for exactly that long. */
  isAwaited(afterMs: number): boolean {
    return [...this.#waiting.values()].includes(this.#nowMs + afterMs);
  }

  /** Lets time pass, and calls who waited for it, in order. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
    const due = [...this.#waiting].filter(([, dueAtMs]) => dueAtMs <= this.#nowMs).sort(([, a], [, b]) => a - b);
    for (const [call] of due) if (this.#waiting.delete(call)) call();
  }
}

/** Ports of a wallet that lives the same life each time, on a simulator whose ports differ each time. */
export function steadyPorts(simulator: Simulator, clock: Clock): Partial<Ports> {
  return {
    clock,
    // The same each time: how often something draws that is not recorded must not show in the log.
    randomness: { bytes: (length) => new Uint8Array(createHash("shake256", { outputLength: length }).digest()) },
    transport: (options) => openSession({ ...options, serverUrl: simulator.serverUrl }),
  };
}

/** The simulator's chain, without the number of its port in what it says. */
export function steadyChain({ chainUrl }: Simulator): ChainSource {
  const source = esplora(chainUrl, { retries: 0, tipCacheMs: 0 });
  const steady = <T>(answer: T): T => {
    const error = (answer as { error?: Error }).error;
    if (error !== undefined) error.message = error.message.replaceAll(/127\.0\.0\.1:\d+/g, "chain.example");
    return answer;
  };
  return {
    tip: async (options) => steady(await source.tip(options)),
    transaction: async (txid, options) => steady(await source.transaction(txid, options)),
    status: async (txid, options) => steady(await source.status(txid, options)),
    outspend: async (txid, vout, options) => steady(await source.outspend(txid, vout, options)),
    blockHash: async (height, options) => steady(await source.blockHash(height, options)),
  };
}
