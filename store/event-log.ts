import type { Record } from "../proto/generated/log.ts";

/** The end of a log. */
export interface LogHead {
  /** Random id of the log, 32 bytes as hex. */
  readonly logId: string;
  /** Incarnation of the writer; grows by one with every writable open. */
  readonly epoch: bigint;
  /** The last commit, 0 if there is none. */
  readonly commit: bigint;
  /** The last record, 0 if there is none. */
  readonly seq: bigint;
  /** Chain link of the last record, 16 bytes as hex. */
  readonly chain: string;
}

/** A record that was read and verified. */
export interface StoredRecord {
  readonly seq: bigint;
  /** The commit that wrote it: records of one commit are there together or not at all. */
  readonly commit: bigint;
  /** Whether it is the last record of that commit. */
  readonly endsCommit: boolean;
  readonly record: Record;
  /** The record's own bytes, a copy. */
  readonly body: Uint8Array;
}

/** Records to be written together. */
export interface AppendRequest {
  /** The writer's epoch, as `head()` says since the open. */
  readonly epoch: bigint;
  /** Position of the first record: one after the last record written or waiting to be. */
  readonly expectedSeq: bigint;
  /** Encoded `Record`s with that dense `seq` and that `epoch`, at least one. Copied before the call returns. */
  readonly bodies: readonly Uint8Array[];
}

/** Which records to read. */
export interface ReadOptions {
  /** First record, 1 if not given. */
  readonly from?: bigint;
  /** Last record, the committed end if not given or beyond it. */
  readonly to?: bigint;
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A state that the caller derived from the records up to one of them. It can always be derived again. */
export interface Snapshot {
  /** The last record it includes. */
  readonly seq: bigint;
  /** The caller's bytes, in parts of its choice; not to be changed while they are saved. */
  readonly parts: readonly Uint8Array[];
}

/**
 * An append-only log of records, the same for every back end.
 *
 * A back end owes: a commit is there whole or not at all, in the order of the calls; what was acknowledged is there
 * after any crash; what was read is what was written; one writer at a time.
 */
export interface EventLog extends AsyncDisposable {
  /** The committed end. */
  head(): LogHead;

  /**
   * Writes records; resolves when they are durable.
   *
   * Calls are taken in their order and need not wait for each other. All records of a call are in one commit; calls
   * that arrive while a commit is being written share the next one.
   *
   * @throws StoreError `STORE_CONFLICT` if epoch or `expectedSeq` is not the next one, `STORE_BAD_RECORD` if a body is
   * not a record with the right seq and epoch (both write nothing and leave the log usable), `STORE_READ_ONLY`,
   * `STORE_CLOSED`; `STORE_FULL`, `STORE_IO` for the write that failed and `STORE_POISONED` for all after it
   */
  append(request: AppendRequest): Promise<{ readonly commit: bigint }>;

  /**
   * Committed records in order, each verified: CRC, chain, dense.
   *
   * @throws StoreError a code of damage, `STORE_OUT_OF_RANGE` if `from` is below 1, `STORE_CLOSED`
   */
  read(options?: ReadOptions): AsyncIterable<StoredRecord>;

  /**
   * One committed record, verified against its predecessor.
   *
   * @throws StoreError `STORE_OUT_OF_RANGE` if there is no such record, a code of damage, `STORE_CLOSED`
   */
  get(seq: bigint): Promise<StoredRecord>;

  /** Waits for what is queued, then gives the log free. Calling it again changes nothing. */
  close(): Promise<void>;
}

/** An {@link EventLog} that keeps snapshots too, as those of this folder do. */
export interface SnapshotLog extends EventLog {
  /**
   * The last record that the opening left unread although the log was not closed in order; 0n if there is none. Read up
   * to there while working.
   */
  readonly unverifiedUpTo: bigint;

  /**
   * Keeps a snapshot of the committed state; the two newest are kept. A failure does not harm the log.
   *
   * @throws StoreError `STORE_OUT_OF_RANGE` if that record is not committed, `STORE_READ_ONLY`, `STORE_CLOSED`,
   * `STORE_FULL`, `STORE_IO`
   */
  saveSnapshot(snapshot: Snapshot): Promise<void>;

  /**
   * The snapshots that fit this log, the newest first. One that is damaged, of another log or of a record that the log
   * does not have is left out, never trusted.
   *
   * @throws StoreError `STORE_CLOSED`, a code of damage of the log
   */
  snapshots(): AsyncIterable<Snapshot>;
}
