import type { Clock } from "../../engine/ports.ts";

interface Timer {
  readonly dueAtMs: number;
  readonly callback: () => void;
}

/** Where every run begins: equal times make equal authorizations, which are then signed once for all runs. */
const START_MS = Date.UTC(2026, 0, 1);

/** A clock that only moves when told to. */
export class VirtualClock implements Clock {
  /** How far the wallet's clock is off. Timers run on all the same, as those of a process do. */
  skewMs = 0;
  #nowMs = START_MS;
  #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs + this.skewMs;
  }

  /** The time that it is. */
  get trueMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueAtMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Forgets all timers, as the end of a process does. */
  forget(): void {
    this.#timers = new Set();
  }

  /** Calls what is due now; false if nothing was. */
  fireDue(): boolean {
    const due = [...this.#timers].filter(({ dueAtMs }) => dueAtMs <= this.#nowMs);
    for (const timer of due) if (this.#timers.delete(timer)) timer.callback();
    return due.length > 0;
  }

  /** Moves to the next timer, at most to `untilMs`; false if there is none before. */
  moveTowards(untilMs: number): boolean {
    const next = Math.min(...[...this.#timers].map(({ dueAtMs }) => dueAtMs), Number.POSITIVE_INFINITY);
    this.#nowMs = Math.max(this.#nowMs, Math.min(next, untilMs));
    return next <= untilMs;
  }
}
