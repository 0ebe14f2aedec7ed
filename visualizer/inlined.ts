import type { Hello } from "./feed.ts";
import type { Decimal, FeedValue } from "./feed-data.ts";
import type { BalanceSats, Moment, MovementRow, OutboxRow, QuarantineRow, VtxoRow } from "./feed-moment.ts";
import type { Explained, RecordDetail } from "./feed-record.ts";

/** Id of the element in a page of one file that holds its data: {@link Inlined} as JSON, gzip, base64. */
export const DATA_ELEMENT = "heartwood-data";

/** A range of a log inside a page: the moment before it, and what each record did. */
export interface Inlined {
  readonly format: 1;
  readonly hello: Hello;
  /** The moment before the first record, with as many rows as fit. */
  readonly base: Moment;
  /** Contexts at the base, of instances that have records in the range. */
  readonly contexts: { readonly [instance: string]: FeedValue };
  readonly records: readonly InlinedRecord[];
  /** Stories of what is mentioned in the range, the newest first. */
  readonly stories: readonly Explained[];
}

/** A record of the range; what can be told from its neighbours is left out. */
export interface InlinedRecord
  extends Omit<RecordDetail, "contextBefore" | "contextAfter" | "changed" | "caused" | "previous" | "next"> {
  /** Members of the context that it changed; the whole context if `isWhole`. */
  readonly change: FeedValue;
  readonly isWhole?: true;
  /** Numbers after it, where they are others than before. */
  readonly numbers?: InlinedNumbers;
  readonly tables?: { readonly [Table in keyof InlinedTables]?: InlinedChange<InlinedTables[Table]> };
}

/** Numbers after a record. */
export interface InlinedNumbers {
  readonly checkpoint: Decimal;
  readonly balance: BalanceSats;
  readonly counters: { readonly [name: string]: number };
}

/** Tables whose rows change with records; instances are told from the records themselves. */
export interface InlinedTables {
  readonly vtxos: VtxoRow;
  readonly movements: MovementRow;
  readonly quarantine: QuarantineRow;
  readonly outbox: OutboxRow;
}

/** What a record did to a table. */
export interface InlinedChange<Row> {
  readonly set: readonly { readonly key: string; readonly row: Row }[];
  readonly ended: readonly string[];
  readonly total: number;
}

/** The key of a row. */
export const keyOf: { readonly [Table in keyof InlinedTables]: (row: InlinedTables[Table]) => string } = {
  vtxos: ({ id }) => id,
  movements: ({ id }) => id,
  quarantine: ({ key }) => key,
  outbox: ({ id }) => id,
};
