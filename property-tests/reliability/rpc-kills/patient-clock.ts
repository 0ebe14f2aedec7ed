import type { Clock } from "../../../engine/index.ts";

interface Wait {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * The system's clock, on which a wait ends when {@link endNext} says so and no sooner. So what a wallet does while nothing
 * comes from outside has one order, however busy the machine is.
 */
export class PatientClock implements Clock {
  readonly #waits = new Set<Wait>();
  #passedMs = 0;

  nowMs(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void): () => void {
    const wait = { dueMs: this.#passedMs + delayMs, callback };
    this.#waits.add(wait);
    return () => this.#waits.delete(wait);
  }

  /** How much time has passed by the waits that ended. */
  get passedMs(): number {
    return this.#passedMs;
  }

  /** Ends the waits that are due first, unless they are due after that time; whether there were any. */
  endNext(untilMs = Number.MAX_VALUE): boolean {
    const dueMs = Math.min(...[...this.#waits].map((wait) => wait.dueMs));
    if (dueMs > untilMs) return false;
    this.#passedMs = dueMs;
    for (const wait of [...this.#waits].filter((one) => one.dueMs === dueMs)) {
      if (this.#waits.delete(wait)) wait.callback();
    }
    return true;
  }
}
