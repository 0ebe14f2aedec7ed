import type { Plain } from "../machines/canonical.ts";
import { machines } from "../machines/registry.ts";
import type { MachineDefinition } from "../machines/step.ts";
import { mentionsOf } from "./explain-subject.ts";
import { GrowingColumn } from "./growing-column.ts";
import { HistoryInstances } from "./history-instances.ts";
import { MentionList } from "./history-lists.ts";
import { countMarks, decodeMarks, encodeMarks, HISTORY_MARKS, type HistoryMark, marksOf } from "./history-marks.ts";
import { HistoryNumbers } from "./history-numbers.ts";
import { HistoryStates } from "./history-states.ts";
import { HistoryTable } from "./history-table.ts";
import { TracedState } from "./traced-state.ts";
import type { Transition } from "./transition.ts";

/** Tables of the wallet's state whose rows can be had of any moment. */
export const HISTORY_TABLES = ["coins", "movements", "quarantine", "outbox"] as const;
export type HistoryTableName = (typeof HISTORY_TABLES)[number];

/** How often the context of an instance with many records is kept: so many are read at most to have one. */
const CONTEXT_EVERY = 16n;

type Context = Readonly<Record<string, Plain>>;

/**
 * What is kept in memory of every record, so that any moment of a long log is found at once: some 30 bytes a record and
 * some 20 a touched row, in typed arrays. Everything else is read from the log again.
 *
 * Takes records in order, each once. Sequence numbers are numbers here: the log would have to be longer than any disk.
 */
export class HistoryIndex {
  readonly tables: Readonly<Record<HistoryTableName, HistoryTable>> = {
    coins: new HistoryTable(),
    movements: new HistoryTable(),
    quarantine: new HistoryTable(),
    outbox: new HistoryTable(),
  };
  readonly numbers = new HistoryNumbers();
  readonly states: HistoryStates;
  readonly instances: HistoryInstances;
  /** The machines whose records it takes. */
  readonly machines: readonly MachineDefinition[];
  readonly #state: TracedState;
  /** Of each record: place `seq - 1`. */
  readonly #atMs = new GrowingColumn(new Float64Array());
  readonly #cause = new GrowingColumn(new Uint32Array());
  /** The last record that it caused, 0 for none: behind that nobody needs to look. */
  readonly #lastCaused = new GrowingColumn(new Uint32Array());
  readonly #marks = new GrowingColumn(new Uint8Array());
  /** Contexts of long-lived instances, by record. */
  readonly #contexts = new Map<number, Context>();
  readonly #mentions = new MentionList();

  constructor(among: readonly MachineDefinition[] = machines) {
    this.machines = among;
    this.#state = new TracedState(among);
    this.states = new HistoryStates(among);
    this.instances = new HistoryInstances((name) => this.#state.endOf(name));
  }

  /** The last record that it has. */
  get head(): number {
    return this.#marks.length;
  }

  /** Folds the next record in. @throws MachineError for a machine or a state that this build does not have */
  add(transition: Transition): void {
    const { machine, instance, event, state, version, atMs, causeSeq } = transition;
    const seq = Number(transition.seq);
    const before = this.#state.instances.get(instance)?.state;
    this.#state.apply(transition);
    const after = this.#state.instances.get(instance);
    const isFinished = after === undefined;
    this.states.note(machine, event.type, before, state);
    this.#atMs.push(atMs);
    this.#cause.push(Number(causeSeq));
    this.#lastCaused.push(0);
    if (causeSeq > 0n) this.#lastCaused.set(Number(causeSeq) - 1, seq);
    this.instances.note(instance, seq, Number(version), isFinished);
    if (after !== undefined && version % CONTEXT_EVERY === 0n) this.#contexts.set(seq, after.context);
    const earnedSats = this.numbers.note(seq, this.#state);
    this.#noteTables(seq);
    for (const subject of mentionsOf(transition)) this.#mentions.note(subject, seq);
    this.#marks.push(encodeMarks(marksOf(transition, { earnedSats, isFinished })));
  }

  atMsOf(seq: number): number {
    return this.#atMs.at(seq - 1);
  }

  marksOf(seq: number): HistoryMark[] {
    return decodeMarks(this.#marks.at(seq - 1));
  }

  /** How many records from one to another have each mark. */
  marksBetween(from: number, to: number): { readonly [Mark in HistoryMark]?: number } {
    return countMarks(this.#marks.between(from - 1, to));
  }

  /** A test for a mark without an allocation. */
  hasMark(seq: number, mark: HistoryMark): boolean {
    return (this.#marks.at(seq - 1) & (1 << HISTORY_MARKS.indexOf(mark))) !== 0;
  }

  /** The record that caused one; 0 if none did. */
  causeOf(seq: number): number {
    return this.#cause.at(seq - 1);
  }

  /** Records that a record caused, the first ones. */
  causedBy(seq: number, limit: number): number[] {
    const found: number[] = [];
    const end = this.#lastCaused.at(seq - 1);
    for (let at = this.#cause.find(seq, seq, end); at >= 0 && found.length < limit; at = this.#cause.find(seq, at + 1, end))
      found.push(at + 1);
    return found;
  }

  /** A context that is kept, and the record after which it held; the nearest at or before a record of the instance. */
  keptContext(seq: number): Context | undefined {
    return this.#contexts.get(seq);
  }

  /** Records that may be about an id: some of them are not. */
  mentionsOf(id: string): number[] {
    return this.#mentions.of(id);
  }

  /** The nearest record that fits, beginning behind `from` or in front of it. */
  find(from: number, step: 1 | -1, fits: (seq: number) => boolean): number | undefined {
    for (let seq = from + step; seq >= 1 && seq <= this.head; seq += step) if (fits(seq)) return seq;
    return undefined;
  }

  #noteTables(seq: number): void {
    for (const name of HISTORY_TABLES) {
      const map = this.#state[name];
      if (map.changes.size === 0) continue;
      for (const key of map.changes.keys()) {
        if (map.has(key)) this.tables[name].touch(key, seq);
        else this.tables[name].end(key, seq);
      }
      map.changes.clear();
    }
  }
}
