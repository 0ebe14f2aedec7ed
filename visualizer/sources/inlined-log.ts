import type { FeedValue } from "../feed-data.ts";
import {
  type InstanceRow,
  MOMENT_ROWS,
  type MomentFacts,
  type PartialMoment,
  type RowPage,
  type Tables,
} from "../feed-moment.ts";
import type { RecordDetail, RecordRow } from "../feed-record.ts";
import { type Inlined, type InlinedNumbers, type InlinedRecord, type InlinedTables, keyOf } from "../inlined.ts";
import { lastUpTo, RowVersions } from "./row-versions.ts";

/** Rows of a page of a table. */
const PAGE_ROWS = 100;
const CAUSED_RECORDS = 50;
const TABLES = ["vtxos", "movements", "quarantine", "outbox"] as const satisfies readonly (keyof InlinedTables)[];

type Numbers = InlinedNumbers & { readonly seq: number };

/** A range of a log, with every moment in it. */
export class InlinedLog {
  readonly first: number;
  readonly last: number;
  readonly #inlined: Inlined;
  readonly #contexts: FeedValue[] = [];
  readonly #numbers: Numbers[];
  readonly #ofInstance = new Map<string, number[]>();
  readonly #instances: RowVersions<InstanceRow>;
  readonly #tables: { readonly [Table in keyof InlinedTables]: RowVersions<InlinedTables[Table]> };

  constructor(inlined: Inlined) {
    const { base, hello, records } = inlined;
    this.#inlined = inlined;
    this.first = Number(hello.first);
    this.last = this.first + records.length - 1;
    this.#numbers = [{ seq: 0, checkpoint: base.checkpoint, balance: base.balance, counters: base.counters }];
    this.#instances = new RowVersions(base.instances, ({ instance }) => instance);
    this.#tables = {
      vtxos: new RowVersions(base.vtxos, keyOf.vtxos),
      movements: new RowVersions(base.movements, keyOf.movements),
      quarantine: new RowVersions(base.quarantine, keyOf.quarantine),
      outbox: new RowVersions(base.outbox, keyOf.outbox),
    };
    const known = new Map(base.instances.rows.map((row) => [row.instance, row]));
    let begun = base.instances.total;
    for (const record of records) begun = this.#take(record, known, begun);
  }

  has(seq: number): boolean {
    return seq >= this.first && seq <= this.last;
  }

  row(seq: number): RecordRow {
    return toRow(this.#record(seq));
  }

  /** Records of an instance, in order. */
  recordsOf(instance: string): readonly number[] {
    return this.#ofInstance.get(instance) ?? [];
  }

  detail(seq: number): RecordDetail {
    const { change, isWhole: _, numbers: _numbers, tables: _tables, ...record } = this.#record(seq);
    const own = this.recordsOf(record.instance);
    const at = own.indexOf(seq);
    const [previous, next] = [own[at - 1], own[at + 1]];
    const before = previous === undefined ? (this.#inlined.contexts[record.instance] ?? null) : this.#context(previous);
    const caused: string[] = [];
    for (let later = seq + 1; later <= this.last && caused.length < CAUSED_RECORDS; later++) {
      if (Number(this.#record(later).cause) === seq) caused.push(String(later));
    }
    return {
      ...record,
      contextBefore: before,
      contextAfter: this.#context(seq),
      changed: Object.keys(change ?? {}),
      caused,
      previous: previous === undefined ? null : String(previous),
      next: next === undefined ? null : String(next),
    };
  }

  /** What held after a record, or at the base, with those tables. */
  moment(seq: number, tables: readonly (keyof Tables)[]): PartialMoment {
    const { base } = this.#inlined;
    const record = this.has(seq) ? this.#record(seq) : undefined;
    const { checkpoint, balance, counters } = lastUpTo(this.#numbers, seq) ?? base;
    const last = this.#lastOfMachines(seq);
    return {
      seq: String(seq),
      atMs: record?.atMs ?? base.atMs,
      epoch: record?.epoch ?? base.epoch,
      connection: last.connection?.after ?? base.connection,
      checkpoint,
      halted: this.#halt(seq),
      balance,
      counters,
      states: this.#states(seq),
      last,
      ...Object.fromEntries(tables.map((table) => [table, this.#rows(table, seq, 0, MOMENT_ROWS[table])])),
    };
  }

  /** More rows of a table. */
  page(table: keyof Tables, seq: number, after: string): RowPage<unknown> {
    return this.#rows(table, seq, Number(after), PAGE_ROWS);
  }

  /** Checkpoint and balance after a record. */
  numbers(seq: number): InlinedNumbers {
    return lastUpTo(this.#numbers, seq) ?? this.#inlined.base;
  }

  /** @returns how many instances have begun after it */
  #take(record: InlinedRecord, known: Map<string, InstanceRow>, begun: number): number {
    const seq = Number(record.seq);
    const { instance, machine, change, numbers, tables } = record;
    const own = this.#ofInstance.get(instance) ?? [];
    this.#ofInstance.set(instance, own);
    const before = own.length === 0 ? (this.#inlined.contexts[instance] ?? {}) : this.#context(own.at(-1) ?? seq);
    own.push(seq);
    this.#contexts.push(record.isWhole === true ? change : ({ ...(before as object), ...(change as object) } as FeedValue));
    if (numbers !== undefined) this.#numbers.push({ ...numbers, seq });
    const { firstSeq = record.seq, firstAtMs = record.atMs } = known.get(instance) ?? {};
    const times = { firstSeq, firstAtMs, lastSeq: record.seq, lastAtMs: record.atMs };
    const row = { instance, machine, state: record.after, isFinished: record.marks.includes("finished"), ...times };
    known.set(instance, row);
    this.#instances.set(seq, instance, row);
    const total = record.before === null ? begun + 1 : begun;
    if (total !== begun) this.#instances.setTotal(seq, total);
    for (const table of TABLES) takeChange(this.#tables[table] as RowVersions<unknown>, seq, tables?.[table]);
    return total;
  }

  #rows(table: keyof Tables, seq: number, from: number, limit: number): RowPage<unknown> {
    return table === "instances" ? this.#instancePage(seq, from, limit) : this.#tables[table].at(seq, from, limit);
  }

  #record(seq: number): InlinedRecord {
    const record = this.#inlined.records[seq - this.first];
    if (record === undefined) throw new Error(`expected a record from ${this.first} to ${this.last}, got ${seq}`);
    return record;
  }

  #context(seq: number): FeedValue {
    return this.#contexts[seq - this.first] ?? null;
  }

  #halt(seq: number): MomentFacts["halted"] {
    const last = this.recordsOf("mailbox/main").findLast((at) => at <= seq);
    if (last === undefined) return this.#inlined.base.halted;
    const { haltedAt, haltCode } = this.#context(last) as { readonly [name: string]: FeedValue };
    if (haltedAt === null || typeof haltedAt !== "object" || !("$n" in haltedAt)) return null;
    return { checkpoint: String(haltedAt.$n), code: String(haltCode) };
  }

  #states(seq: number): MomentFacts["states"] {
    const counts: { [machine: string]: { [state: string]: number } } = structuredClone(this.#inlined.base.states);
    for (let at = this.first; at <= seq && at <= this.last; at++) {
      const { machine, before, after } = this.#record(at);
      const states = counts[machine] ?? {};
      counts[machine] = states;
      if (before !== null) states[before] = (states[before] ?? 0) - 1;
      states[after] = (states[after] ?? 0) + 1;
    }
    for (const states of Object.values(counts))
      for (const state of Object.keys(states)) if (states[state] === 0) delete states[state];
    return counts;
  }

  #lastOfMachines(seq: number): MomentFacts["last"] {
    const found: { [machine: string]: RecordRow } = {};
    const wanted = this.#inlined.hello.machines.length;
    for (let at = Math.min(seq, this.last); at >= this.first && Object.keys(found).length < wanted; at--) {
      const { machine } = this.#record(at);
      if (found[machine] === undefined) found[machine] = this.row(at);
    }
    return { ...this.#inlined.base.last, ...found };
  }

  /** Those that are not finished, the newest first, then those that finished last. */
  #instancePage(seq: number, from: number, limit: number): RowPage<InstanceRow> {
    const all = this.#instances.all(seq);
    const unfinished = all.filter(({ isFinished }) => !isFinished).sort((a, b) => Number(b.firstSeq) - Number(a.firstSeq));
    const finished = all.filter(({ isFinished }) => isFinished).sort((a, b) => Number(b.lastSeq) - Number(a.lastSeq));
    const rows = [...unfinished, ...finished].slice(from, from + limit);
    const next = from + rows.length < all.length ? String(from + rows.length) : null;
    return { total: this.#instances.at(seq, 0, 0).total, rows, next };
  }
}

function takeChange(
  versions: RowVersions<unknown>,
  seq: number,
  change:
    | { readonly set: readonly { key: string; row: unknown }[]; readonly ended: readonly string[]; readonly total: number }
    | undefined,
): void {
  if (change === undefined) return;
  for (const key of change.ended) versions.set(seq, key, null);
  for (const { key, row } of change.set) versions.set(seq, key, row);
  versions.setTotal(seq, change.total);
}

function toRow(record: InlinedRecord): RecordRow {
  const { seq, atMs, machine, instance, type, before, after, effects, cause, effectId, marks, code, verdict } = record;
  return { seq, atMs, machine, instance, type, before, after, effects, cause, effectId, marks, code, verdict };
}
