import type { Decimal, FeedValue } from "./feed-data.ts";
import type { Mark, RecordRow } from "./feed-record.ts";

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
  readonly unanchored: Decimal;
  readonly unconfirmed: Decimal;
}

/** What holds after one record, without the rows of its tables. */
export interface MomentFacts {
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
}

/** All that holds after one record. Tables are their newest rows only; `rows` gives more of them. */
export type Moment = MomentFacts & { readonly [Table in keyof Tables]: RowPage<Tables[Table]> };

/** Rows of each table that a moment brings along: about as many as are seen. */
export const MOMENT_ROWS: { readonly [Table in keyof Tables]: number } = {
  instances: 24,
  vtxos: 12,
  movements: 12,
  quarantine: 12,
  outbox: 12,
};

/** What holds after one record, with those tables that were asked for. */
export type PartialMoment = MomentFacts & Partial<Omit<Moment, keyof MomentFacts>>;

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
  /** `spendable`, `awaiting-registration`, `locked`, `unsure`, `expired`, `unanchored`, … */
  readonly state: string;
  readonly expiryHeight: number;
  readonly expiryStage: string | null;
  /** What the chain has against its anchor. */
  readonly anchorCode: string | null;
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
