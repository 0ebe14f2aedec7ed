import type { MachineDefinition } from "../machines/step.ts";
import type { Record as LogRecord } from "../proto/generated/log.ts";
import { HeartwoodError } from "./errors.ts";
import { GrowingColumn } from "./growing-column.ts";
import type { HistoryIndex } from "./history-index.ts";
import type { HistoryReader } from "./history-reader.ts";
import { type HistoryVerdict, VERDICTS } from "./history-types.ts";
import { checkStep } from "./replay.ts";
import { contextAfter, decodeTransition, type Transition } from "./transition.ts";
import type { LiveInstance } from "./wallet-rows.ts";

const REMEMBERED_DISAGREEMENTS = 100;

/**
 * Takes the steps of a log again that an index has, and keeps what came out: all of them in order, and any one before its
 * turn.
 */
export class HistoryCheck {
  readonly #index: HistoryIndex;
  readonly #machines: readonly MachineDefinition[];
  /** Of each record: one of `VERDICTS`, the first where nothing is known. */
  readonly #verdicts = new GrowingColumn(new Uint8Array());
  readonly #disagreements = new Map<number, string>();
  /** Instances before the next record in order. */
  readonly #live = new Map<string, LiveInstance>();
  #differingCount = 0;
  #checked = 0;

  constructor(index: HistoryIndex) {
    this.#index = index;
    this.#machines = index.machines;
  }

  /** The last record up to which all were taken again. */
  get checked(): number {
    return this.#checked;
  }

  /** How many differ among those that were taken again. */
  get differingCount(): number {
    return this.#differingCount;
  }

  /** The first of them that were found, in order. */
  get differing(): number[] {
    return [...this.#disagreements.keys()].sort((a, b) => a - b);
  }

  verdictOf(seq: number): HistoryVerdict {
    return VERDICTS[this.#verdicts.at(seq - 1)] ?? "pending";
  }

  /** Why a record differs; null for any other, and where too many differ to remember. */
  disagreementOf(seq: number): string | null {
    return this.#disagreements.get(seq) ?? null;
  }

  /** Takes the next one of all again. */
  next(record: LogRecord): void {
    const seq = this.#checked + 1;
    const transition = this.#take(seq, record, this.#live);
    this.#checked = seq;
    if (transition === undefined) return;
    const { instance, machine, revision, version, state } = transition;
    const context = contextAfter(this.#live.get(instance), transition);
    if (this.#index.instances.hasFinished(this.#index.instances.of(seq), seq)) this.#live.delete(instance);
    else this.#live.set(instance, { machine, revision, version, state, context });
  }

  /** Takes one again that somebody looks at. @throws StoreError if it cannot be read */
  async ofRecord(seq: number, reader: HistoryReader): Promise<void> {
    if (this.verdictOf(seq) !== "pending") return;
    const read = await reader.get(seq);
    const [before, previous] = [await reader.before(seq), this.#index.instances.previousOf(seq)];
    const instances = new Map<string, LiveInstance>();
    if (before !== undefined && previous !== undefined) {
      const { instance, machine, revision, version } = (await reader.get(previous)).transition;
      instances.set(instance, { machine, revision, version, ...before });
    }
    if (this.verdictOf(seq) === "pending") this.#take(seq, read.record, instances);
  }

  /** @returns the record; undefined if its parts are not as they are written */
  #take(seq: number, record: LogRecord, instances: ReadonlyMap<string, LiveInstance>): Transition | undefined {
    const { instances: known } = this.#index;
    const hasFinished = (): boolean => known.hasFinished(known.of(seq), seq - 1);
    let transition: Transition | undefined;
    let verdict = this.verdictOf(seq);
    try {
      transition = decodeTransition(record, this.#machines);
      if (verdict !== "pending") return transition;
      verdict = checkStep({ machines: this.#machines, instances, hasFinished }, transition) ? "agrees" : "folded";
    } catch (error) {
      if (!(error instanceof HeartwoodError)) throw error;
      if (verdict === "pending") this.#noteDifference(seq, error.message);
      verdict = "differs";
    }
    while (this.#verdicts.length < seq) this.#verdicts.push(VERDICTS.indexOf("pending"));
    this.#verdicts.set(seq - 1, VERDICTS.indexOf(verdict));
    return transition;
  }

  #noteDifference(seq: number, why: string): void {
    this.#differingCount++;
    if (this.#disagreements.size < REMEMBERED_DISAGREEMENTS) this.#disagreements.set(seq, why);
  }
}
