import { HeartwoodError, type History, type HistoryChange, type HistoryDetail } from "heartwood";
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

/** Characters of JSON that a page takes along: it is parsed as one text, which no browser likes longer. */
const MOST_CHARACTERS = 250_000_000;

/** Options of {@link inlineLog}. */
export interface InlineOptions {
  readonly from: bigint;
  readonly to: bigint;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly seq: bigint; readonly total: bigint }) => void;
  /** Another bound than {@link MOST_CHARACTERS}, for a test. */
  readonly mostCharacters?: number;
}

/**
 * A range of a log as a page in one file has it: {@link Inlined} as JSON, in pieces. A long one is never in memory as a whole.
 *
 * @throws HeartwoodError `BAD_OPTION` if it is more than a page can hold; the reason of `signal`
 */
export async function* inlineLog(feed: HistoryFeed, options: InlineOptions): AsyncGenerator<string, void, undefined> {
  const { from, to, signal } = options;
  const base = await wholeMoment(feed, from - 1n);
  const around: Around = { contexts: {}, mentioned: new Set() };
  const head: Pick<Inlined, "format" | "base"> = { format: 1, base };
  yield `${JSON.stringify(head).slice(0, -1)},"records":[`;
  if (to >= from) yield* recordTexts(feed.history, base, around, options);
  const hello = await feed.hello();
  const progress = {
    ...hello.progress,
    head: String(to),
    total: String(to),
    isAway: false,
    isMissing: false,
    verified: String(to),
  };
  const rest: Pick<Inlined, "hello" | "contexts" | "stories"> = {
    hello: { ...hello, source: "file", first: String(from), progress },
    contexts: around.contexts,
    stories: await storiesOf(feed, [...around.mentioned].reverse().slice(0, MOST_STORIES), signal),
  };
  yield `],${JSON.stringify(rest).slice(1)}`;
}

/** What is gathered on the way through the records. */
interface Around {
  readonly contexts: { [instance: string]: FeedValue };
  /** Ids, those that were mentioned last at the end. */
  readonly mentioned: Set<string>;
}

async function* recordTexts(history: History, base: Moment, { contexts, mentioned }: Around, options: InlineOptions) {
  const { from, to, signal, onProgress, mostCharacters = MOST_CHARACTERS } = options;
  let numbers = JSON.stringify(numbersOf(base));
  let characters = 0;
  for await (const change of history.changes(from, to)) {
    signal?.throwIfAborted();
    const detail = await history.record(change.seq);
    const { instance, machine } = detail.view;
    if (detail.contextBefore !== null && !Object.hasOwn(contexts, instance) && !isIn(detail.previous, from)) {
      contexts[instance] = toFeedValue(detail.contextBefore, machine);
    }
    const record = toInlined(detail, change, numbers);
    for (const { id } of record.mentions) {
      mentioned.delete(id);
      mentioned.add(id);
    }
    if (record.numbers !== undefined) numbers = JSON.stringify(record.numbers);
    const text = `${change.seq === from ? "" : ","}${JSON.stringify(record)}`;
    characters += text.length;
    if (characters > mostCharacters) throw tooMuch(change.seq, options);
    yield text;
    onProgress?.({ seq: change.seq - from + 1n, total: to - from + 1n });
  }
}

/** @param numbers before it, as JSON */
function toInlined(detail: HistoryDetail, change: HistoryChange, numbers: string): InlinedRecord {
  const { contextBefore: _, contextAfter: _after, changed: _changed, caused: _caused, ...rest } = toDetail(detail);
  const { previous: _previous, next: _next, ...record } = rest;
  const after = toNumbers(change);
  const tables = toTables(change);
  return {
    ...record,
    change: toFeedValue(detail.view.change, detail.view.machine),
    ...(record.type === MIGRATED ? { isWhole: true } : {}),
    ...(JSON.stringify(after) === numbers ? {} : { numbers: after }),
    ...(Object.keys(tables).length > 0 ? { tables } : {}),
  };
}

function tooMuch(seq: bigint, { from, to, mostCharacters = MOST_CHARACTERS }: InlineOptions): HeartwoodError {
  const expected = `records with ${mostCharacters} characters in all at most, which a page can hold`;
  return new HeartwoodError("BAD_OPTION", `expected ${expected}, got more in ${from} to ${to}: ${from} to ${seq - 1n} fit`);
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
