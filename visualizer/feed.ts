/**
 * What the page gets to show, live over HTTP or out of the one file that it is in. Everything here is JSON: a bigint is its
 * decimal digits, bytes are hex, and texts from servers are as they came, to be shown as text only.
 */

/** A bigint in decimal digits. */
export type Decimal = string;

/** A value of an event, a context or a parameter. */
export type FeedValue =
  | null
  | boolean
  | number
  | string
  | readonly FeedValue[]
  | FeedBigint
  | FeedBytes
  | FeedRedacted
  | { readonly [name: string]: FeedValue };
/** A bigint inside a value. */
export type FeedBigint = { readonly $n: Decimal };
/** Bytes inside a value: hex of the first ones, and how many there are. Cut where `length` is more than the hex has. */
export type FeedBytes = { readonly $b: string; readonly length: number };
/** A secret that did not leave the process, by the name of its member. */
export type FeedRedacted = { readonly $redacted: string };
/** Where a list or a text inside a value is longer than what is sent, its last member says how much is left out. */
export const LEFT_OUT = "…";

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
  /** Every record up to here was re-executed. */
  readonly verified: Decimal;
  /** Records whose re-execution did not agree, at most 100, and how many there are. */
  readonly differing: readonly Decimal[];
  readonly differingCount: number;
}

/** What is remarkable about a record; jumps go by it. */
export type Mark = "halt" | "error" | "redelivery" | "restart" | "quarantined" | "received" | "paid" | "finished";

/** `agrees` and `differs`: it was re-executed. `folded`: of an earlier revision, its digest only was compared. */
export type Verdict = "pending" | "agrees" | "differs" | "folded";

/** A record as a line of a list. */
export interface RecordRow {
  readonly seq: Decimal;
  readonly atMs: number;
  readonly machine: string;
  readonly instance: string;
  readonly type: string;
  /** State before, null for an instance's first record; and after. */
  readonly before: string | null;
  readonly after: string;
  /** Types of the effects asked for. */
  readonly effects: readonly string[];
  /** The record that caused it; "0" if an outside fact did. */
  readonly cause: Decimal;
  /** Effect whose result it is (`<seq>.<index>`), or empty. */
  readonly effectId: string;
  readonly marks: readonly Mark[];
  /** Reason of a halt, refusal or failure. */
  readonly code: string | null;
  readonly verdict: Verdict;
}

/** A record with everything in it. */
export interface RecordDetail extends RecordRow {
  readonly revision: number;
  readonly version: Decimal;
  readonly epoch: Decimal;
  readonly commit: Decimal;
  readonly schema: number;
  readonly bytes: number;
  readonly event: FeedValue;
  readonly blobs: readonly { readonly digest: string; readonly data: FeedBytes | null }[];
  /** Whole contexts before and after; null before an instance's first record. */
  readonly contextBefore: FeedValue;
  readonly contextAfter: FeedValue;
  /** Names of members that changed. */
  readonly changed: readonly string[];
  readonly asked: readonly {
    readonly id: string;
    readonly type: string;
    readonly kind: "route" | "entry" | "query" | "command";
    readonly params: FeedValue;
  }[];
  /** First 16 bytes of SHA-256 over state and context after it, hex. */
  readonly stateDigest: string;
  /** Guard of the transition that was taken, `else` where those before it have one and it has none; null for one without. */
  readonly guard: string | null;
  /** Records that it caused, among those after it; at most 50. */
  readonly caused: readonly Decimal[];
  /** The record before and after it of the same instance. */
  readonly previous: Decimal | null;
  readonly next: Decimal | null;
  /** Why it does not agree; null otherwise. */
  readonly disagreement: string | null;
  /** Ids in it that can be given to `explain`. */
  readonly mentions: readonly Mention[];
}

/** An id that can be given to `explain`. */
export interface Mention {
  readonly kind: "vtxo" | "movement" | "checkpoint" | "quarantined" | "payment";
  readonly id: string;
}

/** The wallet's money; the others are parts of the total, but for `pendingOut` and `unconfirmed`. */
export interface BalanceSats {
  readonly total: Decimal;
  readonly spendable: Decimal;
  readonly awaitingRegistration: Decimal;
  /** Inputs of payments that are under way. */
  readonly locked: Decimal;
  /** Incoming over Lightning, and to be claimed. */
  readonly pendingIn: Decimal;
  /** Only an exit brings it back. */
  readonly exiting: Decimal;
  /** Not in the total: on its way out over Lightning. */
  readonly pendingOut: Decimal;
  readonly unsure: Decimal;
  readonly expired: Decimal;
  readonly unconfirmed: Decimal;
}

/** All that holds after one record. Lists are the newest rows only; `rows` gives more of them. */
export interface Moment {
  readonly seq: Decimal;
  readonly atMs: number;
  readonly epoch: Decimal;
  readonly connection: string;
  readonly checkpoint: Decimal;
  readonly halted: { readonly checkpoint: Decimal; readonly code: string } | null;
  readonly balance: BalanceSats;
  readonly counters: { readonly [name: string]: number };
  /** How many instances of each machine stand in each state: `states.message.Vetting`. Finished ones are counted too. */
  readonly states: { readonly [machine: string]: { readonly [state: string]: number } };
  /** The last transition of each machine. */
  readonly last: { readonly [machine: string]: RecordRow };
  readonly instances: RowPage<InstanceRow>;
  readonly vtxos: RowPage<VtxoRow>;
  readonly movements: RowPage<MovementRow>;
  readonly quarantine: RowPage<QuarantineRow>;
  readonly outbox: RowPage<OutboxRow>;
}

/** The newest rows of a table, or those after some. */
export interface RowPage<Row> {
  /** How many there are at this moment in all. */
  readonly total: number;
  /** The newest first. */
  readonly rows: readonly Row[];
  /** Give it to `rows` for those after these; null at the end. */
  readonly next: string | null;
}

/** Tables of a moment. `instances` are those that are not finished, then those that finished last. */
export interface Tables {
  readonly instances: InstanceRow;
  readonly vtxos: VtxoRow;
  readonly movements: MovementRow;
  readonly quarantine: QuarantineRow;
  readonly outbox: OutboxRow;
}

/** A run of a machine. */
export interface InstanceRow {
  readonly instance: string;
  readonly machine: string;
  readonly state: string;
  readonly isFinished: boolean;
  /** Its first and its last record until this moment. */
  readonly firstSeq: Decimal;
  readonly lastSeq: Decimal;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A VTXO that is the wallet's at the moment. */
export interface VtxoRow {
  readonly id: string;
  readonly amountSats: Decimal;
  /** `spendable`, `awaiting-registration`, `locked`, `unsure`, `expired`, … */
  readonly state: string;
  readonly expiryHeight: number;
  readonly expiryStage: string | null;
  readonly exitDepth: number;
  readonly keyIndex: number;
  readonly checkpoint: Decimal;
  /** The record that credited it. */
  readonly seq: Decimal;
  readonly flags: readonly string[];
}

/** An entry of the history. */
export interface MovementRow {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly effectiveSats: Decimal;
  readonly feeSats: Decimal;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly checkpoint: Decimal;
  readonly seq: Decimal;
  readonly atMs: number;
}

/** An item that is held at the moment. */
export interface QuarantineRow {
  readonly key: string;
  readonly id: string | null;
  readonly amountSats: Decimal | null;
  readonly code: string;
  readonly message: string;
  readonly permanent: boolean;
  readonly checkpoint: Decimal;
  readonly heldAtMs: number;
  readonly attempts: number;
  readonly nextTryAtMs: number;
}

/** A command without a result at the moment. */
export interface OutboxRow {
  /** `<seq>.<index>` of the effect. */
  readonly id: string;
  readonly type: string;
  readonly instance: string;
  readonly seq: Decimal;
  readonly atMs: number;
  readonly params: FeedValue;
}

/** One way of an instance, in order; of a very long one, its end until the moment asked for. */
export interface InstancePath {
  readonly instance: string;
  readonly machine: string;
  readonly steps: readonly RecordRow[];
  /** How many earlier steps are left out. */
  readonly leftOut: number;
}

/** Money over the log, one point a bucket of records; each point is the state after the bucket's last record. */
export interface Series {
  readonly points: readonly SeriesPoint[];
}

/** The state after the last record of a bucket. */
export interface SeriesPoint {
  readonly seq: Decimal;
  readonly atMs: number;
  readonly checkpoint: Decimal;
  readonly totalSats: Decimal;
  readonly spendableSats: Decimal;
  /** How many records of the bucket have the mark; absent for none. */
  readonly marks: { readonly [M in Mark]?: number };
}

/** How something came to be what it is; texts of servers are in it as they came. */
export interface Explained {
  readonly kind: Mention["kind"];
  readonly id: string;
  readonly now: string;
  readonly steps: readonly {
    readonly seq: Decimal;
    readonly atMs: number;
    readonly instance: string;
    readonly event: string;
    readonly from: string | null;
    readonly to: string;
    readonly code: string | null;
    readonly rules: readonly string[];
    readonly text: string;
  }[];
  readonly leftOut: number;
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
  /** New records at the end, in order. Where many come at once, some may be left out; the page asks for what it shows. */
  records(rows: readonly RecordRow[]): void;
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
  /** All that held after that record; of a file's base, ask for the one before `first`. */
  moment(seq: Decimal): Promise<Moment>;
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
