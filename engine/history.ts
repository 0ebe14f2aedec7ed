import type { Observable } from "rxjs";
import { effectKinds } from "../machines/effects.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import { guardTaken, type Instance, type MachineDefinition } from "../machines/step.ts";
import { HeartwoodError } from "./errors.ts";
import { type Explanation, explain } from "./explain.ts";
import { mentionsOf } from "./explain-subject.ts";
import { changesOf, type HistoryChange } from "./history-changes.ts";
import { HistoryCheck } from "./history-check.ts";
import { factsAt } from "./history-facts.ts";
import { HISTORY_TABLES, HistoryIndex, type HistoryTableName } from "./history-index.ts";
import { HistoryLoader } from "./history-loader.ts";
import { HistoryReader, type ReadRecord } from "./history-reader.ts";
import { type HistoryPage, type HistoryTables, instancesAt, rowsAt } from "./history-rows.ts";
import { nearest } from "./history-search.ts";
import { type HistoryPoint, seriesOf } from "./history-series.ts";
import { recordsAbout } from "./history-story.ts";
import type {
  HistoryDetail,
  HistoryFacts,
  HistoryMoment,
  HistoryProgress,
  HistoryRecord,
  HistorySearch,
  HistorySource,
} from "./history-types.ts";
import type { Transition } from "./transition.ts";
import { WALLET } from "./wallet-state.ts";

const CAUSED_RECORDS = 50;
/** Rows of each table that a moment brings along. */
const MOMENT_ROWS = 24;
const PATH_STEPS = 200;

/**
 * A log to look around in: any record with its surroundings, any moment, whatever the length of the log. It is read once
 * in the background into an index of some 60 bytes a record, then each step is taken again; what is asked for is read from
 * the log, and taken again before its turn. A history changes nothing.
 *
 * Opened with `Heartwood.history` or `Wallet.history`.
 */
export class History implements AsyncDisposable {
  readonly #source: HistorySource;
  readonly #among: readonly MachineDefinition[];
  readonly #index: HistoryIndex;
  readonly #reader: HistoryReader;
  readonly #check: HistoryCheck;
  readonly #loader: HistoryLoader;

  private constructor(source: HistorySource, among: readonly MachineDefinition[]) {
    this.#source = source;
    this.#among = among;
    this.#index = new HistoryIndex(among);
    this.#reader = new HistoryReader(this.#index, () => source.log(), among);
    this.#check = new HistoryCheck(this.#index);
    this.#loader = new HistoryLoader(source, this.#index, this.#check);
  }

  /**
   * Begins to read a source, which is closed with the history.
   *
   * @param among the machines of this build; a test may give others
   * @internal
   */
  static of(source: HistorySource, among: readonly MachineDefinition[] = machines): History {
    return new History(source, among);
  }

  /** Names and revisions of the machines of this build. */
  get machines(): readonly { readonly name: string; readonly revision: number }[] {
    return this.#among.map(({ name, revision }) => ({ name, revision }));
  }

  get progress(): HistoryProgress {
    return this.#loader.progress;
  }

  /** Whenever more can be looked at, at most every few milliseconds; completes when there will not be more. */
  get grew$(): Observable<HistoryProgress> {
    return this.#loader.grew$;
  }

  /** Resolves when everything is read that there was at the beginning, or reading failed: `progress` says so. */
  read(): Promise<void> {
    return this.#loader.read();
  }

  /** Resolves when nothing more will be read, and all steps were taken again; of a live log, when that ended. */
  over(): Promise<void> {
    return this.#loader.over();
  }

  /** Records from one to another, both included. @throws HeartwoodError `NOT_FOUND`; StoreError */
  async records(from: bigint, to: bigint): Promise<readonly HistoryRecord[]> {
    this.#place(from);
    this.#place(to);
    return this.#loader.answering(async () => {
      const found: HistoryRecord[] = [];
      for (let seq = Number(from); seq <= Number(to); seq++) found.push(this.#around(seq, await this.#reader.get(seq)));
      return found;
    });
  }

  /** A record with everything around it. @throws HeartwoodError `NOT_FOUND`; StoreError */
  record(place: bigint): Promise<HistoryDetail> {
    return this.#loader.answering(() => this.#record(this.#place(place)));
  }

  /** What held after a record, 0 for the beginning, without the rows of tables. @throws HeartwoodError `NOT_FOUND` */
  facts(place: bigint): Promise<HistoryFacts> {
    return this.#loader.answering(() => this.#facts(this.#place(place, 0)));
  }

  /** The same with the newest rows of each table. @throws HeartwoodError `NOT_FOUND` */
  moment(place: bigint): Promise<HistoryMoment> {
    return this.#loader.answering(() => this.#moment(this.#place(place, 0)));
  }

  /**
   * Rows of a table after a record, the newest first.
   *
   * @param after as `next` of the page before said
   * @throws HeartwoodError `NOT_FOUND`
   */
  rows<Name extends keyof HistoryTables>(
    table: Name,
    place: bigint,
    limit: number,
    after?: string,
  ): Promise<HistoryPage<HistoryTables[Name]>> {
    return this.#loader.answering(() =>
      this.#rows(table, { seq: this.#place(place, 0), limit, ...(after === undefined ? {} : { after }) }),
    );
  }

  /**
   * What each record from one to another did, in order: with the moment before the first, every moment between.
   *
   * @throws HeartwoodError `NOT_FOUND`
   */
  changes(from: bigint, to: bigint): AsyncIterable<HistoryChange> {
    return changesOf(this.#index, this.#reader, this.#place(from), this.#place(to));
  }

  /** Records of an instance until one; of a long way its end. @throws HeartwoodError `NOT_FOUND` */
  path(instance: string, place: bigint): Promise<{ readonly steps: readonly HistoryRecord[]; readonly leftOut: number }> {
    return this.#loader.answering(async () => {
      const { instances } = this.#index;
      const number = instances.numberOf(instance);
      if (number === undefined) throw notFound("an instance of this log", instance);
      const steps: HistoryRecord[] = [];
      let at = instances.lastOf(number, this.#place(place));
      for (; at !== undefined && steps.length < PATH_STEPS; at = instances.previousOf(at)) {
        steps.unshift(this.#around(at, await this.#reader.get(at)));
      }
      return { steps, leftOut: Number(steps[0]?.view.version ?? 1n) - 1 };
    });
  }

  /** Checkpoint, money and marks from one record to another, in so many points. @throws HeartwoodError `NOT_FOUND` */
  series(from: bigint, to: bigint, points: number): readonly HistoryPoint[] {
    return seriesOf(this.#index, this.#place(from), this.#place(to), points);
  }

  /**
   * The nearest record that fits, or undefined. One whose re-execution differs is found once its turn has come, or when it
   * was looked at.
   */
  find(search: HistorySearch): Promise<HistoryRecord | undefined> {
    return this.#loader.answering(async () => {
      const found = nearest(this.#index, this.#check, search);
      return found === undefined ? undefined : this.#around(found, await this.#reader.get(found));
    });
  }

  /** As `Wallet.explain`, without reading the whole log. @throws HeartwoodError `NOT_FOUND`, `AMBIGUOUS_ID` */
  explain(id: string): Promise<Explanation> {
    return this.#loader.answering(async () => {
      const seqs = await recordsAbout(this.#index, this.#reader, id);
      const reader = this.#reader;
      return explain(async function* () {
        for (const seq of seqs) yield (await reader.get(seq)).transition;
      }, id);
    });
  }

  /** The network of the wallet; empty before its first record. */
  async network(): Promise<string> {
    const number = this.#index.instances.numberOf(WALLET);
    if (number === undefined) return "";
    return String((await this.#reader.after(this.#index.instances.firstOf(number))).context.network ?? "");
  }

  /** Ends reading. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loader.close();
    await this.#source[Symbol.asyncDispose]();
  }

  async #record(seq: number): Promise<HistoryDetail> {
    const read = await this.#reader.get(seq);
    await this.#check.ofRecord(seq, this.#reader);
    const [before, after] = [await this.#reader.before(seq), await this.#reader.after(seq)];
    const { instances } = this.#index;
    const [previous, next] = [instances.previousOf(seq), instances.nextOf(seq)];
    return {
      ...this.#around(seq, read),
      contextBefore: before?.context ?? null,
      contextAfter: after.context,
      guard: this.#guardOf(read.transition, before),
      effectKinds: read.transition.effects.map(({ type }) => effectKinds[type]),
      caused: this.#index.causedBy(seq, CAUSED_RECORDS).map(BigInt),
      previous: previous === undefined ? null : BigInt(previous),
      next: next === undefined ? null : BigInt(next),
      disagreement: this.#check.disagreementOf(seq),
      mentions: mentionsOf(read.transition),
    };
  }

  async #moment(seq: number): Promise<HistoryMoment> {
    const place = { seq, limit: MOMENT_ROWS };
    const [facts, instances, coins, movements, quarantine, outbox] = await Promise.all([
      this.#facts(seq),
      this.#rows("instances", place),
      this.#rows("coins", place),
      this.#rows("movements", place),
      this.#rows("quarantine", place),
      this.#rows("outbox", place),
    ]);
    return { ...facts, tables: { instances, coins, movements, quarantine, outbox } };
  }

  #facts(seq: number): Promise<HistoryFacts> {
    return factsAt(this.#index, this.#reader, async (at) => this.#around(at, await this.#reader.get(at)), seq);
  }

  async #rows<Name extends keyof HistoryTables>(
    table: Name,
    place: { readonly seq: number; readonly limit: number; readonly after?: string },
  ): Promise<HistoryPage<HistoryTables[Name]>> {
    const page = isTable(table)
      ? await rowsAt(this.#index, this.#reader, table, place)
      : await instancesAt(this.#index, this.#reader, place);
    return page as HistoryPage<HistoryTables[Name]>;
  }

  #around(seq: number, { view }: ReadRecord): HistoryRecord {
    const [before, marks] = [this.#index.states.beforeOf(seq), this.#index.marksOf(seq)];
    return { view, before, marks, verdict: this.#check.verdictOf(seq) };
  }

  #guardOf({ machine, revision, event, atMs }: Transition, before: Instance | undefined): string | null {
    try {
      const found = machineNamed(machine, this.#among);
      return revision === found.revision ? guardTaken(found, before, { ...event, atMs }) : null;
    } catch {
      return null;
    }
  }

  #place(seq: bigint, first = 1): number {
    if (seq >= BigInt(first) && seq <= BigInt(this.#index.head)) return Number(seq);
    throw notFound(`a record from ${first} to ${this.#index.head}`, String(seq));
  }
}

function isTable(name: keyof HistoryTables): name is HistoryTableName {
  return HISTORY_TABLES.some((table) => table === name);
}

function notFound(expected: string, got: string): HeartwoodError {
  return new HeartwoodError("NOT_FOUND", `expected ${expected}, got ${got.slice(0, 200)}`);
}
