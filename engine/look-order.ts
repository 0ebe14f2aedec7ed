import { LONGEST_WAIT_MS } from "../machines/quarantined.machine.ts";
import type { QuarantineEntry } from "./wallet-rows.ts";

/** Held items that are looked at in one go; the others follow with the next looks. A flood can bring 100,000 in a day. */
const MOST_LOOKS = 1_000;

/** What is looked at in one go. */
export interface Look {
  readonly items: readonly QuarantineEntry[];
  /** How many could be looked at ahead of their time, and how many of those are among the items. */
  readonly early: number;
  readonly taken: number;
}

/** Whether the time of a held item has come. One that is further away than any wait is of a clock that was put back. */
export function isDue({ nextTryAtMs }: QuarantineEntry, nowMs: number): boolean {
  return nextTryAtMs <= nowMs || nextTryAtMs > nowMs + LONGEST_WAIT_MS;
}

/**
 * Chooses the held items of each look: those whose time has come, the longest waiting first, then those that are looked at
 * ahead of it, in turn over all looks. So however many are held, a look has an end, and each of them has its turn.
 */
export class LookOrder {
  #next = 0;

  /** @param isEarly whether an item is looked at ahead of its time */
  choose(entries: Iterable<QuarantineEntry>, nowMs: number, isEarly: (entry: QuarantineEntry) => boolean): Look {
    const due: QuarantineEntry[] = [];
    const early: QuarantineEntry[] = [];
    for (const entry of entries) {
      if (entry.permanent) continue;
      if (isDue(entry, nowMs)) due.push(entry);
      else if (isEarly(entry)) early.push(entry);
    }
    const first = due.toSorted((a, b) => a.nextTryAtMs - b.nextTryAtMs).slice(0, MOST_LOOKS);
    const from = this.#next < early.length ? this.#next : 0;
    const then = [...early.slice(from), ...early.slice(0, from)].slice(0, MOST_LOOKS - first.length);
    this.#next = from + then.length;
    return { items: [...first, ...then], early: early.length, taken: then.length };
  }
}
