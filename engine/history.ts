import { type Observable, Subject } from "rxjs";
import { effectKinds } from "../machines/effects.ts";
import { machineNamed, machines } from "../machines/registry.ts";
import { guardTaken, type Instance, type MachineDefinition } from "../machines/step.ts";
import { codeOf, HeartwoodError } from "./errors.ts";
import { type Explanation, explain } from "./explain.ts";
import { mentionsOf } from "./explain-subject.ts";
import { GrowingColumn } from "./growing-column.ts";
import { changesOf, type HistoryChange } from "./history-changes.ts";
import { HISTORY_TABLES, HistoryIndex, type HistoryTableName } from "./history-index.ts";
import { HistoryReader, type ReadRecord } from "./history-reader.ts";
import { type HistoryPage, type HistoryTables, instancesAt, rowsAt } from "./history-rows.ts";
import { type HistoryPoint, seriesOf } from "./history-series.ts";
import { recordsAbout } from "./history-story.ts";
import {
  type HistoryDetail,
  type HistoryMoment,
  type HistoryProgress,
  type HistoryRecord,
  type HistorySearch,
  type HistorySource,
  type HistoryVerdict,
  VERDICTS,
} from "./history-types.ts";
import { checkStep } from "./replay.ts";
import { decodeTransition, type Transition } from "./transition.ts";
import { MAILBOX, WALLET } from "./wallet-state.ts";

/** Reading goes on for so long before others have their turn; where a wallet works in the same process, for less. */
const SLICE_MS = 12;
const SHARED_SLICE_MS = 4;
/** How long a wallet has its turn. */
const SHARED_PAUSE_MS = 12;
const REMEMBERED_DISAGREEMENTS = 100;
const CAUSED_RECORDS = 50;
/** Rows of each table that a moment brings along. */
const MOMENT_ROWS = 24;
const PATH_STEPS = 200;

/**
 * A log to look around in: any record with its surroundings, any moment, whatever the length of the log. It is read once
 * in the background, each step is taken again meanwhile, and an index of some 60 bytes a record is kept; what is asked
 * for is read from the log again. A history changes nothing.
 *
 * Opened with `Heartwood.history` or `Wallet.history`.
 */
export class History implements AsyncDisposable {
  readonly #source: HistorySource;
  readonly #among: readonly MachineDefinition[];
  readonly #index: HistoryIndex;
  readonly #reader: HistoryReader;
  readonly #verdicts = new GrowingColumn(new Uint8Array());
  readonly #disagreements = new Map<number, string>();
  readonly #grew$ = new Subject<HistoryProgress>();
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  #differingCount = 0;
  #isOver = false;
  #failure: HistoryProgress["failure"] = null;

  private constructor(source: HistorySource, among: readonly MachineDefinition[]) {
    this.#source = source;
    this.#among = among;
    this.#index = new HistoryIndex(among);
    this.#reader = new HistoryReader(this.#index, () => source.log(), among);
    this.#running = this.#run();
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
    return {
      head: BigInt(this.#index.head),
      total: this.#source.log().head().seq,
      isLive: this.#source.isLive && !this.#isOver,
      isOver: this.#isOver,
      differing: [...this.#disagreements.keys()].map(BigInt),
      differingCount: this.#differingCount,
      failure: this.#failure,
    };
  }

  /** Whenever more can be looked at, at most every few milliseconds; completes when there will not be more. */
  get grew$(): Observable<HistoryProgress> {
    return this.#grew$.asObservable();
  }

  /** Resolves when everything is read that there is; at once for a log that goes on. */
  async read(): Promise<void> {
    await this.#running;
  }

  /** Records from one to another, both included. @throws HeartwoodError `NOT_FOUND`; StoreError */
  async records(from: bigint, to: bigint): Promise<readonly HistoryRecord[]> {
    this.#place(from);
    this.#place(to);
    const found: HistoryRecord[] = [];
    for (let seq = Number(from); seq <= Number(to); seq++) found.push(this.#around(seq, await this.#reader.get(seq)));
    return found;
  }

  /** A record with everything around it. @throws HeartwoodError `NOT_FOUND`; StoreError */
  async record(place: bigint): Promise<HistoryDetail> {
    const seq = this.#place(place);
    const read = await this.#reader.get(seq);
    const [before, after] = [await this.#reader.before(seq), await this.#reader.after(seq)];
    const [previous, next] = [this.#index.previousOf(seq), this.#index.nextOf(seq)];
    return {
      ...this.#around(seq, read),
      contextBefore: before?.context ?? null,
      contextAfter: after.context,
      guard: this.#guardOf(read.transition, before),
      effectKinds: read.transition.effects.map(({ type }) => effectKinds[type]),
      caused: this.#index.causedBy(seq, CAUSED_RECORDS).map(BigInt),
      previous: previous === undefined ? null : BigInt(previous),
      next: next === undefined ? null : BigInt(next),
      disagreement: this.#disagreements.get(seq) ?? null,
      mentions: mentionsOf(read.transition),
    };
  }

  /** What held after a record, 0 for the beginning; of each table the newest rows. @throws HeartwoodError `NOT_FOUND` */
  async moment(place: bigint): Promise<HistoryMoment> {
    const seq = this.#place(place, 0);
    const last = new Map<string, HistoryRecord>();
    for (const [machine, at] of this.#index.lastOfMachines(seq)) last.set(machine, this.#around(at, await this.#reader.get(at)));
    const { halted, high: _, low: _low, ...counters } = this.#index.counters.after(seq);
    const checkpoint = this.#index.checkpointAt(seq);
    return {
      seq: place,
      atMs: seq === 0 ? 0 : this.#index.atMsOf(seq),
      epoch: seq === 0 ? 0n : (await this.#reader.get(seq)).view.epoch,
      connection: last.get("connection")?.view.state ?? "Stopped",
      checkpoint,
      halted: halted === 1 ? await this.#halt(seq) : null,
      balance: this.#index.balanceAt(seq),
      counters,
      states: this.#index.statesAt(seq),
      last,
      tables: {
        instances: await this.rows("instances", place, MOMENT_ROWS),
        coins: await this.rows("coins", place, MOMENT_ROWS),
        movements: await this.rows("movements", place, MOMENT_ROWS),
        quarantine: await this.rows("quarantine", place, MOMENT_ROWS),
        outbox: await this.rows("outbox", place, MOMENT_ROWS),
      },
    };
  }

  /**
   * Rows of a table after a record, the newest first.
   *
   * @param after as `next` of the page before said
   * @throws HeartwoodError `NOT_FOUND`
   */
  async rows<Name extends keyof HistoryTables>(
    table: Name,
    place: bigint,
    limit: number,
    after?: string,
  ): Promise<HistoryPage<HistoryTables[Name]>> {
    const options = { seq: this.#place(place, 0), limit, ...(after === undefined ? {} : { after }) };
    const page = isTable(table)
      ? await rowsAt(this.#index, this.#reader, table, options)
      : await instancesAt(this.#index, this.#reader, options);
    return page as HistoryPage<HistoryTables[Name]>;
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
  async path(instance: string, place: bigint): Promise<{ readonly steps: readonly HistoryRecord[]; readonly leftOut: number }> {
    const number = this.#index.instanceNumber(instance);
    if (number === undefined) throw notFound("an instance of this log", instance);
    const steps: HistoryRecord[] = [];
    let leftOut = 0;
    for (let at = this.#index.lastOf(number, this.#place(place)); at !== undefined; at = this.#index.previousOf(at)) {
      if (steps.length < PATH_STEPS) steps.push(this.#around(at, await this.#reader.get(at)));
      else leftOut++;
    }
    return { steps: steps.reverse(), leftOut };
  }

  /** Checkpoint, money and marks from one record to another, in so many points. @throws HeartwoodError `NOT_FOUND` */
  series(from: bigint, to: bigint, points: number): readonly HistoryPoint[] {
    return seriesOf(this.#index, this.#place(from), this.#place(to), points);
  }

  /** The nearest record that fits, or undefined. */
  async find(search: HistorySearch): Promise<HistoryRecord | undefined> {
    const { mark, machine, type, instance, verdict } = search;
    const number = instance === undefined ? undefined : this.#index.instanceNumber(instance);
    if (instance !== undefined && number === undefined) return undefined;
    const isWanted = this.#index.isOf({ ...(machine === undefined ? {} : { machine }), ...(type === undefined ? {} : { type }) });
    const found = this.#index.find(Number(search.from), search.direction === "forward" ? 1 : -1, (seq) => {
      if (mark !== undefined && !this.#index.hasMark(seq, mark)) return false;
      if (number !== undefined && this.#index.instanceOf(seq) !== number) return false;
      return isWanted(seq) && (verdict === undefined || this.#verdictOf(seq) === verdict);
    });
    return found === undefined ? undefined : this.#around(found, await this.#reader.get(found));
  }

  /** As `Wallet.explain`, without reading the whole log. @throws HeartwoodError `NOT_FOUND`, `AMBIGUOUS_ID` */
  async explain(id: string): Promise<Explanation> {
    const seqs = await recordsAbout(this.#index, this.#reader, id);
    const reader = this.#reader;
    return explain(async function* () {
      for (const seq of seqs) yield (await reader.get(seq)).transition;
    }, id);
  }

  /** Ends reading. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#running;
    await this.#source[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    try {
      do await this.#readOn(signal);
      while (await this.#source.grown(signal));
    } catch (error) {
      if (!signal.aborted) {
        this.#failure = { code: codeOf(error) ?? "INTERNAL", message: error instanceof Error ? error.message : "reading failed" };
      }
    }
    this.#isOver = true;
    this.#grew$.next(this.progress);
    this.#grew$.complete();
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const log = this.#source.log();
    const [sliceMs, pauseMs] = this.#source.isShared ? [SHARED_SLICE_MS, SHARED_PAUSE_MS] : [SLICE_MS, 0];
    let sliceBegan = performance.now();
    for await (const { record } of log.read({ from: BigInt(this.#index.head + 1), signal })) {
      this.#take(decodeTransition(record, this.#among));
      if (performance.now() - sliceBegan < sliceMs) continue;
      this.#grew$.next(this.progress);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      sliceBegan = performance.now();
    }
    this.#grew$.next(this.progress);
  }

  #take(transition: Transition): void {
    let verdict: HistoryVerdict;
    try {
      verdict = checkStep(this.#index.state, transition) ? "agrees" : "folded";
    } catch (error) {
      if (!(error instanceof HeartwoodError) || error.code !== "LOG_MISMATCH") throw error;
      verdict = "differs";
      this.#differingCount++;
      if (this.#disagreements.size < REMEMBERED_DISAGREEMENTS) this.#disagreements.set(Number(transition.seq), error.message);
    }
    this.#verdicts.push(VERDICTS.indexOf(verdict));
    this.#index.add(transition);
  }

  #around(seq: number, { view }: ReadRecord): HistoryRecord {
    const [before, marks] = [this.#index.beforeOf(seq), this.#index.marksOf(seq)];
    return { view, before, marks, verdict: this.#verdictOf(seq) };
  }

  #verdictOf(seq: number): HistoryVerdict {
    return VERDICTS[this.#verdicts.at(seq - 1)] ?? "pending";
  }

  #guardOf({ machine, revision, event, atMs }: Transition, before: Instance | undefined): string | null {
    try {
      const found = machineNamed(machine, this.#among);
      return revision === found.revision ? guardTaken(found, before, { ...event, atMs }) : null;
    } catch {
      return null;
    }
  }

  async #halt(seq: number): Promise<HistoryMoment["halted"]> {
    const number = this.#index.instanceNumber(MAILBOX);
    const last = number === undefined ? undefined : this.#index.lastOf(number, seq);
    const context = last === undefined ? undefined : (await this.#reader.after(last)).context;
    const at = context?.haltedAt;
    return typeof at === "bigint" ? { checkpoint: at, code: String(context?.haltCode) } : null;
  }

  /** The network of the wallet; empty before its first record. */
  async network(): Promise<string> {
    const number = this.#index.instanceNumber(WALLET);
    if (number === undefined) return "";
    return String((await this.#reader.after(this.#index.firstOf(number))).context.network ?? "");
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
