import {
  type Balance,
  HEARTWOOD_VERSION,
  HeartwoodError,
  HISTORY_MARKS,
  type History,
  type HistoryFacts,
  type HistoryProgress,
} from "heartwood";
import type { Hello, Progress } from "./feed.ts";
import {
  type BalanceSats,
  MOMENT_ROWS,
  type MomentFacts,
  type PartialMoment,
  type RowPage,
  type Series,
  type Tables,
} from "./feed-moment.ts";
import type { Explained, InstancePath, RecordDetail, RecordRow } from "./feed-record.ts";
import { converters, tableNamed, toDetail, toPage, toRow } from "./feed-rows.ts";
import { toFeedText } from "./feed-value.ts";

const MOST_RECORDS = 500n;
const MOST_POINTS = 2_000;
const PAGE_ROWS = 100;

/** Parameters of a question, as they came. */
export type Question = ReadonlyMap<string, string>;

/**
 * A history in the words of the feed: every answer is plain JSON without secrets, of bounded size.
 *
 * All methods throw HeartwoodError `BAD_OPTION`, `NOT_FOUND`, `AMBIGUOUS_ID`, and StoreError if the log cannot be read.
 */
export class HistoryFeed {
  readonly history: History;
  readonly #name: string;

  /** @param name what the page calls it */
  constructor(history: History, name: string) {
    this.history = history;
    this.#name = name;
  }

  async hello(): Promise<Hello> {
    const { progress } = this.history;
    return {
      format: 1,
      name: this.#name,
      source: progress.isLive ? "live" : "log",
      version: HEARTWOOD_VERSION,
      machines: this.history.machines,
      network: await this.history.network(),
      first: "1",
      progress: toProgress(progress),
    };
  }

  async records(question: Question): Promise<readonly RecordRow[]> {
    const [from, to] = [seqIn(question, "from"), seqIn(question, "to")];
    if (to - from >= MOST_RECORDS) throw bad(`at most ${MOST_RECORDS} records`, `${from} to ${to}`);
    return (await this.history.records(from, to)).map(toRow);
  }

  async record(question: Question): Promise<RecordDetail> {
    return toDetail(await this.history.record(seqIn(question, "seq")));
  }

  async moment(question: Question): Promise<PartialMoment> {
    const seq = seqIn(question, "seq");
    const names = (question.get("tables") ?? "").split(",").filter((name) => name !== "");
    const page = async (name: string) => [name, await this.#page(name, seq, MOMENT_ROWS[name as keyof Tables] ?? 0)] as const;
    const [facts, ...pages] = await Promise.all([this.history.facts(seq), ...[...new Set(names)].map(page)]);
    return { ...toFacts(facts), ...(Object.fromEntries(pages) as Omit<PartialMoment, keyof MomentFacts>) };
  }

  async rows(question: Question): Promise<RowPage<unknown>> {
    const after = question.get("after") ?? "";
    if (!/^[uf]?[0-9]{0,10}$/.test(after)) throw bad("a place in a table", after);
    return this.#page(question.get("table") ?? "", seqIn(question, "seq"), PAGE_ROWS, after === "" ? undefined : after);
  }

  async path(question: Question): Promise<InstancePath> {
    const instance = question.get("instance") ?? "";
    const { steps, leftOut } = await this.history.path(instance, seqIn(question, "seq"));
    return { instance, machine: instance.split("/")[0] ?? "", steps: steps.map(toRow), leftOut };
  }

  async series(question: Question): Promise<Series> {
    const points = Number(seqIn(question, "points"));
    if (points < 1 || points > MOST_POINTS) throw bad(`1 to ${MOST_POINTS} points`, String(points));
    const found = this.history.series(seqIn(question, "from"), seqIn(question, "to"), points);
    return {
      points: found.map(({ seq, atMs, checkpoint, totalSats, spendableSats, marks }) => {
        const [total, spendable] = [String(totalSats), String(spendableSats)];
        return { seq: String(seq), atMs, checkpoint: String(checkpoint), totalSats: total, spendableSats: spendable, marks };
      }),
    };
  }

  async find(question: Question): Promise<RecordRow | null> {
    const direction = question.get("direction") === "backward" ? "backward" : "forward";
    const [instance, machine, type] = [question.get("instance"), question.get("machine"), question.get("type")];
    const mark = HISTORY_MARKS.find((known) => known === question.get("mark"));
    if (question.has("mark") && mark === undefined) throw bad("a mark", question.get("mark") ?? "");
    const found = await this.history.find({
      from: seqIn(question, "from"),
      direction,
      ...(mark === undefined ? {} : { mark }),
      ...(instance === undefined ? {} : { instance }),
      ...(machine === undefined ? {} : { machine }),
      ...(type === undefined ? {} : { type }),
      ...(question.get("verdict") === "differs" ? { verdict: "differs" as const } : {}),
    });
    return found === undefined ? null : toRow(found);
  }

  async explain(question: Question): Promise<Explained> {
    const { kind, id, now, steps, leftOut } = await this.history.explain((question.get("id") ?? "").slice(0, 200));
    return {
      kind,
      id,
      now: toFeedText(now),
      steps: steps.map(({ seq, atMs, instance, event, from, to, code, rules, text }) => {
        return { seq: String(seq), atMs, instance, event, from, to, code, rules, text: toFeedText(text) };
      }),
      leftOut,
    };
  }

  async #page(name: string, seq: bigint, limit: number, after?: string): Promise<RowPage<unknown>> {
    const table = tableNamed(name);
    if (table === undefined) throw bad("a table", name);
    return toPage(await this.history.rows(table, seq, limit, after), converters[table] as (row: unknown) => unknown);
  }
}

/** How far a history has come, for the page. */
export function toProgress(progress: HistoryProgress): Progress {
  const { head, checked, total, isAway, isMissing, differing, differingCount, failure } = progress;
  const { code, message } = failure ?? { code: "", message: "" };
  const ended = failure === null ? null : { code, message: toFeedText(message), advice: adviceFor(code) };
  return {
    head: String(head),
    total: String(total),
    isAway,
    isMissing,
    verified: String(checked),
    differing: differing.map(String),
    differingCount,
    failure: ended,
  };
}

function adviceFor(code: string): string {
  if (code === "LOG_UNREADABLE") return "A newer Heartwood wrote this log: look at it with that one.";
  if (code === "STORE_OWNER_LOST") return "The process that had the wallet open is gone: run heartwood inspect again.";
  if (code === "STORE_CLOSED") return "The log was closed: run heartwood inspect again.";
  if (code === "STORE_SWAPPED") {
    return "By now another log stands where this one did, or an older copy of it: run heartwood inspect again to look at that one.";
  }
  if (code === "STORE_IO") return "The disk could not be read: run heartwood inspect again, on a copy if that does not help.";
  if (code.startsWith("STORE_")) {
    return "heartwood log verify DIR says what is damaged; heartwood log salvage DIR NEWDIR copies what is whole. A good backup is better.";
  }
  return "Run heartwood inspect again; if it ends in the same way, report it with these words.";
}

/** The money, for the page. */
export function toBalance(balance: Balance): BalanceSats {
  return {
    total: String(balance.totalSats),
    spendable: String(balance.spendableSats),
    awaitingRegistration: String(balance.awaitingRegistrationSats),
    locked: String(balance.lockedSats),
    pendingIn: String(balance.pendingInSats),
    exiting: String(balance.exitingSats),
    pendingOut: String(balance.pendingOutSats),
    unsure: String(balance.unsureSats),
    expired: String(balance.expiredSats),
    unanchored: String(balance.unanchoredSats),
    unconfirmed: String(balance.unconfirmedSats),
  };
}

function toFacts(moment: HistoryFacts): MomentFacts {
  const { balance, halted } = moment;
  return {
    seq: String(moment.seq),
    atMs: moment.atMs,
    epoch: String(moment.epoch),
    connection: moment.connection,
    checkpoint: String(moment.checkpoint),
    halted: halted === null ? null : { checkpoint: String(halted.checkpoint), code: toFeedText(halted.code) },
    balance: toBalance(balance),
    counters: moment.counters,
    states: moment.states,
    last: Object.fromEntries([...moment.last].map(([machine, record]) => [machine, toRow(record)])),
  };
}

function seqIn(question: Question, name: string): bigint {
  const text = question.get(name) ?? "";
  if (!/^[0-9]{1,18}$/.test(text)) throw bad(`a number for ${name}`, text);
  return BigInt(text);
}

function bad(expected: string, got: string): HeartwoodError {
  return new HeartwoodError("BAD_OPTION", `expected ${expected}, got ${JSON.stringify(got.slice(0, 100))}`);
}
