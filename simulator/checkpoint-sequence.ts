import { SimulatorError } from "./errors.ts";

const COUNTER_BITS = 20n;
const COUNTER_LIMIT = 1n << COUNTER_BITS;

/**
 * The one global sequence of mailbox positions (mailbox.md §3.3): 44 bits of Unix milliseconds, then a 20-bit counter.
 *
 * The time part never goes backwards, so values ascend strictly even when the clock steps back.
 */
export class CheckpointSequence {
  readonly #now: () => number;
  #latest = 0n;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The highest value given out so far, 0 before the first. */
  get latest(): bigint {
    return this.#latest;
  }

  /**
   * The next position. A position that is not used afterwards stays a gap.
   *
   * @throws SimulatorError `CHECKPOINTS_EXHAUSTED` after 2^20 positions in one millisecond
   */
  next(): bigint {
    const fromClock = BigInt(Math.trunc(this.#now())) << COUNTER_BITS;
    if (fromClock > this.#latest) {
      this.#latest = fromClock;
      return fromClock;
    }
    if ((this.#latest + 1n) % COUNTER_LIMIT === 0n) {
      throw new SimulatorError("CHECKPOINTS_EXHAUSTED", `expected at most ${COUNTER_LIMIT} posts in a millisecond, got more`);
    }
    this.#latest += 1n;
    return this.#latest;
  }
}
