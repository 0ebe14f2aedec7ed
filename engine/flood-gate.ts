import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { itemsOfDay } from "./unsolicited.ts";

/** What is taken in a while once the day's number of unsolicited messages and held items is reached. */
const FLOOD_ITEMS = 1_000;
const FLOOD_WINDOW_MS = 15 * 60_000;
/** In a restore all that the seed ever received comes at once, most of it spent: that many days' number is no flood. */
const RESTORE_DAYS = 50;

/**
 * Slows reading down under a flood: above the day's number of unsolicited messages and held items, 1,000 more are taken in
 * a quarter of an hour. The others wait at the server, in order, so nothing is lost and the log grows by so much only.
 */
export class FloodGate {
  readonly #engine: Pick<Engine, "clock" | "limits" | "loop">;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #itemsThen = 0;

  constructor(engine: Pick<Engine, "clock" | "limits" | "loop">) {
    this.#engine = engine;
  }

  /** Whether more came today than is taken at full speed. */
  isFlooded(): boolean {
    return this.#items() >= this.#limit();
  }

  /**
   * To be asked before each message.
   *
   * @throws HeartwoodError `MAILBOX_FLOODED` if it has to wait: the connection backs off as after a failure
   */
  check(): void {
    if (!this.isFlooded()) return;
    const [nowMs, items] = [this.#engine.clock.nowMs(), this.#items()];
    const isOver = Math.abs(nowMs - this.#sinceMs) >= FLOOD_WINDOW_MS || items < this.#itemsThen;
    if (isOver) [this.#sinceMs, this.#itemsThen] = [nowMs, items];
    if (items - this.#itemsThen < FLOOD_ITEMS) return;
    const message = `expected at most ${this.#limit()} unsolicited messages and held items a day, got ${items}: reading slows down`;
    throw new HeartwoodError("MAILBOX_FLOODED", message, { retryable: true });
  }

  #limit(): number {
    const { limits, loop } = this.#engine;
    return limits.itemsPerDay * (loop.pending.isRestoring() ? RESTORE_DAYS : 1);
  }

  #items(): number {
    const { loop, clock } = this.#engine;
    return itemsOfDay(loop.pending, clock.nowMs());
  }
}
