import type { Record } from "../proto/generated/log.ts";
import type { Place, StoreErrorCode } from "./errors.ts";
import type { LogHead } from "./event-log.ts";

/** Something in a store that is not as it was written. */
export interface FoundDamage {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly place: Place;
}

/** Neighbouring records behind the place where a log breaks: each whole by itself, tied to nothing before it. */
export interface StrandedRecords {
  readonly from: bigint;
  readonly to: bigint;
  /** How many there are of each machine and type of event, the most frequent first. */
  readonly kinds: readonly { readonly machine: string; readonly type: string; readonly records: number }[];
}

/** What a salvage kept and what it had to leave. */
export interface SalvageReport {
  /** The end of what was kept, which is the end of a commit. */
  readonly kept: LogHead;
  /** All that was found wrong, in the order in which it was met; the last one in `log` ended what could be kept. */
  readonly damage: readonly FoundDamage[];
  /**
   * The records after `kept` that the old log is known to have had, as HEAD or what was found behind the break says.
   * Undefined where nothing speaks of any; there may have been more all the same.
   */
  readonly lost: { readonly from: bigint; readonly to: bigint } | undefined;
  /** Whether HEAD says where the old log ended, so that no more than `lost` can be missing. */
  readonly isEndKnown: boolean;
  /** Those of them that can still be read in the old directory, at most 1,000 ranges. Nothing of them was kept. */
  readonly stranded: readonly StrandedRecords[];
}

/** How far a salvage has come. */
export interface SalvageProgress {
  /** `copying` counts bytes, the others records; `verifying` looks at what was made. */
  readonly step: "copying" | "reading" | "verifying";
  readonly done: bigint;
  /** 0 if that is not known. */
  readonly total: bigint;
}

const RANGES_MAX = 1_000;

/** Collects what can be read behind the break. Records come in ascending order. */
export class Stranded {
  readonly #ranges: { from: bigint; to: bigint; kinds: Map<string, { machine: string; type: string; records: number }> }[] = [];
  #last: bigint | undefined;

  /** The last record that was noted. */
  get last(): bigint | undefined {
    return this.#last;
  }

  note(seq: bigint, { machine, type }: Record): void {
    this.#last = seq;
    let range = this.#ranges.at(-1);
    if (range === undefined || (range.to + 1n !== seq && this.#ranges.length < RANGES_MAX)) {
      range = { from: seq, to: seq, kinds: new Map() };
      this.#ranges.push(range);
    }
    range.to = seq;
    const key = `${machine}\0${type}`;
    const kind = range.kinds.get(key) ?? { machine, type, records: 0 };
    kind.records++;
    range.kinds.set(key, kind);
  }

  ranges(): StrandedRecords[] {
    return this.#ranges.map(({ from, to, kinds }) => ({
      from,
      to,
      kinds: [...kinds.values()].sort((a, b) => b.records - a.records),
    }));
  }
}
