import type { Clock } from "./ports.ts";

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 60 * 60_000;

/**
 * The wait before bytes that only the server has are asked for again, after it failed at them and at others too: that
 * counts against no held item, so none of them waits longer by itself. Twice as long after each failure in a row.
 */
export class RereadPause {
  readonly #clock: Clock;
  #failures = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the server may be asked. A clock that was put back makes no wait longer. */
  isOver(): boolean {
    return Math.abs(this.#clock.nowMs() - this.#sinceMs) >= this.#waitMs();
  }

  /** The server failed. Questions that were asked at the same time count once. */
  begin(): void {
    if (!this.isOver()) return;
    this.#failures++;
    this.#sinceMs = this.#clock.nowMs();
  }

  /** The server answered. */
  end(): void {
    this.#failures = 0;
  }

  #waitMs(): number {
    return this.#failures === 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
  }
}
