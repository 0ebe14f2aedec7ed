import type { Decimal } from "./feed-data.ts";
import type { PartialMoment, RowPage, Series, Tables } from "./feed-moment.ts";
import type { Explained, InstancePath, Mark, RecordDetail, RecordRow } from "./feed-record.ts";

/**
 * What the page gets to show, live over HTTP or out of the one file that it is in. Everything here is JSON: a bigint is its
 * decimal digits, bytes are hex, and texts from servers are as they came, to be shown as text only.
 */

/** What the page learns first. */
export interface Hello {
  readonly format: 1;
  /** What is looked at: a directory's or file's base name. */
  readonly name: string;
  readonly source: "live" | "log" | "file";
  /** Version of Heartwood. */
  readonly version: string;
  /** Machines of the build that reads the log. The charts of the page are of the same build. */
  readonly machines: readonly { readonly name: string; readonly revision: number }[];
  readonly network: string;
  /** First record that can be shown, and the state before it is the base. 1 except in a file with a range. */
  readonly first: Decimal;
  readonly progress: Progress;
}

/** How far reading has come; grows with a live wallet. */
export interface Progress {
  /** Last record that can be shown. */
  readonly head: Decimal;
  /** Last record of the log; more than `head` while it is being read. */
  readonly total: Decimal;
  /** Whether the wallet of a live source is closed: more comes once it is opened again. */
  readonly isAway: boolean;
  /** Whether the directory of a live source is not there: it is followed again once it is back. */
  readonly isMissing: boolean;
  /** Every record from `first` up to here was re-executed. */
  readonly verified: Decimal;
  /** Records whose re-execution did not agree, at most 100, and how many there are. */
  readonly differing: readonly Decimal[];
  readonly differingCount: number;
  /** Why reading ended before the end of the log, and what to do; null where it did not. */
  readonly failure: { readonly code: string; readonly message: string; readonly advice: string } | null;
}

/** What to jump to; at least one member. All that are given must hold. */
export interface Search {
  /** Begin behind this record, or in front of it. */
  readonly from: Decimal;
  readonly direction: "forward" | "backward";
  readonly mark?: Mark;
  readonly instance?: string;
  readonly machine?: string;
  readonly type?: string;
  readonly verdict?: "differs";
}

/** What a live source tells by itself. */
export interface FeedListener {
  /** More can be looked at, or was taken again: the page asks for what it shows. */
  progress(progress: Progress): void;
  /** `connected` again after `lost`: the source reconnects by itself. `ended` for good, with the reason. */
  status(status: "connected" | "lost" | "ended", reason: string): void;
}

/** Where the page takes everything from. Answers are rejected with a {@link FeedError}. */
export interface FeedSource {
  hello(): Promise<Hello>;
  /** Records from `from` to `to`, both included; at most 500. */
  records(from: Decimal, to: Decimal): Promise<readonly RecordRow[]>;
  record(seq: Decimal): Promise<RecordDetail>;
  /** What held after that record, with these tables at least; of a file's base, ask for the one before `first`. */
  moment(seq: Decimal, tables: readonly (keyof Tables)[]): Promise<PartialMoment>;
  /** More rows of a table at a moment. */
  rows<Table extends keyof Tables>(table: Table, seq: Decimal, after: string): Promise<RowPage<Tables[Table]>>;
  /** The way of an instance until a moment. */
  path(instance: string, seq: Decimal): Promise<InstancePath>;
  /** Money from one record to another, in at most so many points (at most 2,000). */
  series(from: Decimal, to: Decimal, points: number): Promise<Series>;
  /** The nearest record that fits, or null. */
  find(search: Search): Promise<RecordRow | null>;
  /** How something came to be what it is; an id as whole or cut as `mentions` and tables show it. */
  explain(id: string): Promise<Explained>;
  /** Begins to listen; returns what ends it. A source that is not live says `ended` at once. */
  follow(listener: FeedListener): () => void;
}

/** A refusal by the source, in words for whoever looks at the page. */
export class FeedError extends Error {
  override readonly name = "FeedError";
  /** `NOT_FOUND`, `AMBIGUOUS_ID`, `NOT_IN_FILE`, `OUT_OF_RANGE`, `UNAUTHORIZED`, `TOO_MANY_VIEWERS`, `LOST`, `INTERNAL`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
