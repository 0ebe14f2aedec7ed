const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Lengths of a period; each is a multiple of the one before, so that periods can be joined. */
const PERIODS_MS = [
  MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  DAY_MS,
  7 * DAY_MS,
  28 * DAY_MS,
  364 * DAY_MS,
  3_640 * DAY_MS,
  36_400 * DAY_MS,
  3_640_000 * DAY_MS,
  3_640_000_000 * DAY_MS,
  3_640_000_000_000 * DAY_MS, // longer than all that a record can say
];

/** What was written in one period of time. */
export interface GrowthPeriod {
  /** Its beginning, milliseconds since the Unix epoch, a multiple of its length. */
  readonly fromMs: number;
  readonly records: number;
  /** Bytes of frames. */
  readonly bytes: number;
}

/** Counts what is written over time, in periods whose length adapts, so that there are never many of them. */
export class Growth {
  readonly #periodsMax: number;
  #length = 0;
  #periods = new Map<number, { records: number; bytes: number }>();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(periodsMax: number) {
    this.#periodsMax = periodsMax;
  }

  /** Length of a period. */
  get periodMs(): number {
    return PERIODS_MS[this.#length] ?? Number.POSITIVE_INFINITY;
  }

  /** Counts one record. */
  add(atMs: number, bytes: number): void {
    this.#put(Math.floor(atMs / this.periodMs), { records: 1, bytes });
    while (this.#last - this.#first >= this.#periodsMax && this.#length < PERIODS_MS.length - 1) this.#join();
  }

  /** All periods from the first to the last with a record, those without one too. */
  periods(): GrowthPeriod[] {
    const count = this.#periods.size === 0 ? 0 : this.#last - this.#first + 1;
    return Array.from({ length: Math.min(count, this.#periodsMax) }, (_, i) => {
      const { records, bytes } = this.#periods.get(this.#first + i) ?? { records: 0, bytes: 0 };
      return { fromMs: (this.#first + i) * this.periodMs, records, bytes };
    });
  }

  #put(index: number, { records, bytes }: { records: number; bytes: number }): void {
    const period = this.#periods.get(index) ?? { records: 0, bytes: 0 };
    this.#periods.set(index, { records: period.records + records, bytes: period.bytes + bytes });
    this.#first = Math.min(this.#first, index);
    this.#last = Math.max(this.#last, index);
  }

  #join(): void {
    const [before, shorter] = [this.#periods, this.periodMs];
    this.#length++;
    this.#periods = new Map();
    this.#first = Number.POSITIVE_INFINITY;
    this.#last = Number.NEGATIVE_INFINITY;
    for (const [index, period] of before) this.#put(Math.floor((index * shorter) / this.periodMs), period);
  }
}
