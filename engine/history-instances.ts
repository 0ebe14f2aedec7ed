import { GrowingColumn } from "./growing-column.ts";

/** Of an instance with many records every so many are noted, so that its last one at a moment is found at once. */
const MILESTONE_EVERY = 128;

/** Of these there is one of a machine: their names are kept. */
const ONLY_ONE = "/main";

/** Which records are of which instance, and when each began and finished: some 12 bytes a record. */
export class HistoryInstances {
  /** Of each record: the number of its instance, and the record before of the same instance or 0. */
  readonly #instance = new GrowingColumn(new Uint32Array());
  readonly #previous = new GrowingColumn(new Uint32Array());
  /** Of each instance: its first record, its last, the one that finished it or 0. */
  readonly #first = new GrowingColumn(new Uint32Array());
  readonly #last = new GrowingColumn(new Uint32Array());
  readonly #finished = new GrowingColumn(new Uint32Array());
  readonly #milestones = new Map<number, GrowingColumn>();
  /** Records that finished an instance, in order. */
  readonly #ends = new GrowingColumn(new Uint32Array());
  /** Numbers by name; the names of finished ones are let go, but for those that a machine has one of. */
  readonly #live = new Map<string, number>();
  readonly #endOf: (name: string) => bigint | undefined;

  /** @param endOf the record that finished the instance of that name */
  constructor(endOf: (name: string) => bigint | undefined) {
    this.#endOf = endOf;
  }

  /** Takes the next record. @param version its place among those of its instance, from 1 */
  note(name: string, seq: number, version: number, finished: boolean): void {
    const number = this.numberOf(name) ?? this.#begin(name, seq);
    this.#instance.push(number);
    this.#previous.push(this.#last.at(number));
    this.#last.set(number, seq);
    if (version % MILESTONE_EVERY === 0) this.#noteMilestone(number, seq);
    if (!finished) return;
    if (!name.endsWith(ONLY_ONE)) this.#live.delete(name);
    if (this.#finished.at(number) === 0) this.#finished.set(number, seq);
    this.#ends.push(seq);
  }

  /** The number of the instance of a record. */
  of(seq: number): number {
    return this.#instance.at(seq - 1);
  }

  /** Number of an instance by its name, or undefined. */
  numberOf(name: string): number | undefined {
    const live = this.#live.get(name);
    if (live !== undefined || name.endsWith(ONLY_ONE)) return live;
    const end = Number(this.#endOf(name) ?? 0n);
    // The record that is being taken is not in the column yet.
    return end === 0 || end > this.#instance.length ? undefined : this.of(end);
  }

  /** The record before of the same instance, or undefined. */
  previousOf(seq: number): number | undefined {
    return this.#previous.at(seq - 1) || undefined;
  }

  /** The record after it of the same instance, or undefined. */
  nextOf(seq: number): number | undefined {
    const last = this.#last.at(this.of(seq));
    return last === seq ? undefined : this.#previous.find(seq, seq, last) + 1;
  }

  firstOf(instance: number): number {
    return this.#first.at(instance);
  }

  /** The last record of an instance until one, or undefined. */
  lastOf(instance: number, seq: number): number | undefined {
    const milestones = this.#milestones.get(instance);
    const behind = milestones?.countUpTo(seq) ?? 0;
    let at: number | undefined =
      milestones !== undefined && behind < milestones.length ? milestones.at(behind) : this.#last.at(instance);
    while (at !== undefined && at > seq) at = this.previousOf(at);
    return at;
  }

  /** Whether an instance was finished after a record. */
  hasFinished(instance: number, seq: number): boolean {
    const end = this.#finished.at(instance);
    return end !== 0 && end <= seq;
  }

  /** How many had begun. */
  countAt(seq: number): number {
    return this.#first.countUpTo(seq);
  }

  /** Instances that were not finished, the newest first, from behind number `before`. */
  *unfinishedAt(seq: number, before: number): Generator<number, void, undefined> {
    for (let at = Math.min(before, this.countAt(seq)) - 1; at >= 0; at--) if (!this.hasFinished(at, seq)) yield at;
  }

  /** Instances that were finished, the last first, from behind the end number `before`. */
  *finishedAt(seq: number, before: number): Generator<{ readonly end: number; readonly instance: number }, void, undefined> {
    for (let end = Math.min(before, this.#ends.countUpTo(seq)) - 1; end >= 0; end--) {
      yield { end, instance: this.of(this.#ends.at(end)) };
    }
  }

  #begin(name: string, seq: number): number {
    const number = this.#first.length;
    this.#live.set(name, number);
    this.#first.push(seq);
    this.#last.push(0);
    this.#finished.push(0);
    return number;
  }

  #noteMilestone(number: number, seq: number): void {
    const milestones = this.#milestones.get(number) ?? new GrowingColumn(new Uint32Array());
    this.#milestones.set(number, milestones);
    milestones.push(seq);
  }
}
