import type { History, HistoryChange } from "heartwood";
import type { FeedValue } from "./feed-data.ts";
import type { Moment, MomentFacts, RowPage, Tables } from "./feed-moment.ts";
import type { Explained } from "./feed-record.ts";
import { converters, tableNamed, toDetail, toPage } from "./feed-rows.ts";
import { toFeedValue } from "./feed-value.ts";
import { type HistoryFeed, toBalance } from "./history-feed.ts";
import type { Inlined, InlinedChange, InlinedNumbers, InlinedRecord, InlinedTables } from "./inlined.ts";

/** Rows of each table of the base that are taken along. */
const BASE_ROWS = 1_000;
/** Stories that are taken along, those of what was mentioned last. */
const MOST_STORIES = 200;
const MIGRATED = "instance.migrated";
const TABLES = { coins: "vtxos", movements: "movements", quarantine: "quarantine", outbox: "outbox" } as const;

/** Options of {@link inlineLog}. */
export interface InlineOptions {
  readonly from: bigint;
  readonly to: bigint;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly seq: bigint; readonly total: bigint }) => void;
}

/** A range of a log as a page in one file has it. */
export async function inlineLog(feed: HistoryFeed, { from, to, signal, onProgress }: InlineOptions): Promise<Inlined> {
  const { history } = feed;
  const base = await wholeMoment(feed, from - 1n);
  const contexts: { [instance: string]: FeedValue } = {};
  const mentioned = new Set<string>();
  const records: InlinedRecord[] = [];
  let numbers = JSON.stringify(numbersOf(base));
  if (to >= from) {
    for await (const change of history.changes(from, to)) {
      signal?.throwIfAborted();
      const detail = await history.record(change.seq);
      const { instance, machine } = detail.view;
      if (detail.contextBefore !== null && !Object.hasOwn(contexts, instance) && !isIn(detail.previous, from)) {
        contexts[instance] = toFeedValue(detail.contextBefore, machine);
      }
      const { contextBefore: _, contextAfter: _after, changed: _changed, caused: _caused, ...rest } = toDetail(detail);
      const { previous: _previous, next: _next, ...record } = rest;
      for (const { id } of record.mentions) {
        mentioned.delete(id);
        mentioned.add(id);
      }
      const after = toNumbers(change);
      const isOther = JSON.stringify(after) !== numbers;
      numbers = JSON.stringify(after);
      const tables = toTables(change);
      records.push({
        ...record,
        change: toFeedValue(detail.view.change, machine),
        ...(record.type === MIGRATED ? { isWhole: true } : {}),
        ...(isOther ? { numbers: after } : {}),
        ...(Object.keys(tables).length > 0 ? { tables } : {}),
      });
      onProgress?.({ seq: change.seq - from + 1n, total: to - from + 1n });
    }
  }
  const hello = await feed.hello();
  const progress = { ...hello.progress, head: String(to), total: String(to), isAway: false, verified: String(to) };
  return {
    format: 1,
    hello: { ...hello, source: "file", first: String(from), progress },
    base,
    contexts,
    records,
    stories: await storiesOf(feed, [...mentioned].reverse().slice(0, MOST_STORIES), signal),
  };
}

function isIn(seq: bigint | null, from: bigint): boolean {
  return seq !== null && seq >= from;
}

/** A moment with up to {@link BASE_ROWS} rows of each table. */
async function wholeMoment(feed: HistoryFeed, seq: bigint): Promise<Moment> {
  const question = new Map([["seq", String(seq)]]);
  // Its records are taken again when they are looked at.
  const { last: lasts } = await feed.moment(question);
  for (const last of Object.values(lasts)) await feed.history.record(BigInt(last.seq));
  const moment = await feed.moment(question);
  const rows = <Table extends keyof Tables>(table: Table) => baseRows(feed.history, table, seq);
  return {
    ...moment,
    instances: await rows("instances"),
    vtxos: await rows("vtxos"),
    movements: await rows("movements"),
    quarantine: await rows("quarantine"),
    outbox: await rows("outbox"),
  };
}

async function baseRows<Table extends keyof Tables>(
  history: History,
  table: Table,
  seq: bigint,
): Promise<RowPage<Tables[Table]>> {
  const name = tableNamed(table) ?? "instances";
  const page = await history.rows(name, seq, BASE_ROWS);
  return toPage(page, converters[name] as (row: unknown) => Tables[Table]);
}

function numbersOf({ checkpoint, balance, counters }: MomentFacts): InlinedNumbers {
  return { checkpoint, balance, counters };
}

function toNumbers({ checkpoint, balance, counters }: HistoryChange): InlinedNumbers {
  return { checkpoint: String(checkpoint), balance: toBalance(balance), counters };
}

function toTables({ tables }: HistoryChange): NonNullable<InlinedRecord["tables"]> {
  const found: { -readonly [Table in keyof InlinedTables]?: InlinedChange<never> } = {};
  for (const [name, table] of Object.entries(TABLES) as [keyof typeof TABLES, keyof InlinedTables][]) {
    const change = tables[name];
    if (change === undefined) continue;
    const convert = converters[name] as (row: unknown) => never;
    const set = change.set.map(({ key, row }) => ({ key, row: convert(row) }));
    found[table] = { set, ended: change.ended, total: change.total };
  }
  return found;
}

async function storiesOf(feed: HistoryFeed, ids: readonly string[], signal: AbortSignal | undefined): Promise<Explained[]> {
  const stories: Explained[] = [];
  for (const id of ids) {
    signal?.throwIfAborted();
    // An id that stands for several things has no story of its own.
    const story = await feed.explain(new Map([["id", id]])).catch(() => undefined);
    if (story !== undefined) stories.push(story);
  }
  return stories;
}
