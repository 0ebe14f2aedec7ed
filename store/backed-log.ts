import type { BackEnd } from "./back-end.ts";
import { fromHex, sameBytes } from "./bytes.ts";
import { type ChainPosition, ChainReader, positionAfter, type RawFrame, startOf } from "./chain-reader.ts";
import { CommitQueue } from "./commit-queue.ts";
import { isStoreError, StoreError, toStoreError } from "./errors.ts";
import type { AppendRequest, LogHead, ReadOptions, Snapshot, SnapshotLog, StoredRecord } from "./event-log.ts";
import { fittingSnapshots, newestFirst, positionAt } from "./fitting-snapshots.ts";
import { encodeSnapshot } from "./snapshot.ts";

const SNAPSHOTS_KEPT = 2;

/** Options of {@link BackedLog}. */
export interface BackedLogOptions {
  readonly backEnd: BackEnd;
  /** The verified end, with the epoch of this open. */
  readonly head: LogHead;
  readonly readOnly: boolean;
  /** See {@link SnapshotLog.unverifiedUpTo}; 0n if not given. */
  readonly unverifiedUpTo?: bigint;
}

/** A {@link SnapshotLog} whose frames can be had as they are stored, for a reader that verifies them itself. */
export interface FramedLog extends SnapshotLog {
  /**
   * Committed frames, unverified, in order and in batches of about 1 MiB.
   *
   * @throws StoreError `STORE_CLOSED`, `STORE_BAD_DATABASE`
   */
  frames(from: bigint, to: bigint): AsyncIterable<readonly RawFrame[]>;
}

/** A {@link SnapshotLog} over any back end. */
export class BackedLog implements FramedLog {
  readonly unverifiedUpTo: bigint;
  readonly #backEnd: BackEnd;
  readonly #readOnly: boolean;
  readonly #queue: CommitQueue;
  /** Whether nothing that was read was damaged, and whether everything was read that had to be. */
  #isSound = true;
  #isVerified: boolean;
  #saving: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: BackedLogOptions) {
    this.unverifiedUpTo = options.unverifiedUpTo ?? 0n;
    this.#isVerified = this.unverifiedUpTo === 0n;
    this.#backEnd = options.backEnd;
    this.#readOnly = options.readOnly;
    this.#queue = new CommitQueue(options.head, options.backEnd);
  }

  head(): LogHead {
    return this.#queue.committed;
  }

  async append(request: AppendRequest): Promise<{ readonly commit: bigint }> {
    this.#checkWritable();
    return this.#queue.append(request);
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<StoredRecord, void, undefined> {
    this.#checkOpen();
    const { from = 1n, to, signal } = options;
    const head = this.head();
    if (from < 1n) throw new StoreError("STORE_OUT_OF_RANGE", `expected to read from record 1 or later, got ${from}`);
    const last = to === undefined || to > head.seq ? head.seq : to;
    signal?.throwIfAborted();
    if (from > last) return;
    try {
      const before = from - 1n;
      let reader = before === 0n ? new ChainReader(startOf(head.logId)) : undefined;
      // In one go with the record before it, whose chain it continues.
      for await (const batch of this.#frames(before === 0n ? from : before, last)) {
        for (const raw of batch) {
          signal?.throwIfAborted();
          if (reader === undefined) {
            if (raw.seq !== before) throw gap(before);
            reader = new ChainReader(positionAfter(raw));
            continue;
          }
          yield reader.accept(raw);
          this.#checkOpen();
        }
      }
      if (reader === undefined) throw gap(before);
      checkEnd(reader.position, last, head);
    } catch (error) {
      if (isStoreError(error) && error.code !== "STORE_CLOSED") this.#isSound = false;
      throw error;
    }
    if (from === 1n && last >= this.unverifiedUpTo) this.#isVerified = true;
  }

  async get(seq: bigint): Promise<StoredRecord> {
    this.#checkOpen();
    const last = this.head().seq;
    if (seq < 1n || seq > last) throw outOfRange(seq, last);
    let found: StoredRecord | undefined;
    // To the end, not returning from the loop: what follows the record checks the chain's end.
    for await (const stored of this.read({ from: seq, to: seq })) found = stored;
    if (found === undefined) throw gap(seq);
    return found;
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#checkWritable();
    const saving = this.#saving.then(() => this.#save(snapshot));
    this.#saving = saving.catch(() => undefined);
    await saving;
  }

  async *snapshots(): AsyncGenerator<Snapshot, void, undefined> {
    this.#checkOpen();
    for await (const snapshot of fittingSnapshots(this.#backEnd, this.head())) {
      yield snapshot;
      this.#checkOpen();
    }
  }

  async *frames(from: bigint, to: bigint): AsyncGenerator<readonly RawFrame[], void, undefined> {
    this.#checkOpen();
    const { seq: last } = this.head();
    yield* this.#frames(from, to < last ? to : last);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#queue.drain();
    await this.#saving;
    // Else the next opening reads everything: what was not looked at, or was damaged, is not taken as read.
    const isOrderly = !this.#queue.poisoned && this.#isSound && this.#isVerified;
    await this.#backEnd.close(isOrderly ? this.head() : undefined);
  }

  async #save({ seq, parts }: Snapshot): Promise<void> {
    const { logId, seq: last } = this.head();
    if (seq < 1n || seq > last) throw outOfRange(seq, last);
    try {
      const { chain } = await this.#positionAt(seq);
      await this.#backEnd.putSnapshot(seq, [...encodeSnapshot({ logId, seq, chain, parts })]);
      const others = newestFirst(await this.#backEnd.listSnapshots()).filter((other) => other <= last);
      for (const old of others.slice(SNAPSHOTS_KEPT)) await this.#backEnd.deleteSnapshot(old);
    } catch (error) {
      throw toStoreError(error, `saving a snapshot of record ${seq}`);
    }
  }

  async #positionAt(seq: bigint): Promise<ChainPosition> {
    if (seq === 0n) return startOf(this.head().logId);
    const position = await positionAt({ frames: (from, to) => this.#frames(from, to) }, seq);
    if (position === undefined) throw gap(seq);
    return position;
  }

  async *#frames(from: bigint, to: bigint): AsyncGenerator<readonly RawFrame[], void, undefined> {
    try {
      yield* this.#backEnd.frames(from, to);
    } catch (error) {
      this.#checkOpen();
      throw error;
    }
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#readOnly) {
      throw new StoreError("STORE_READ_ONLY", "expected a log that is open for writing, got one that is open for reading only");
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError("STORE_CLOSED", "expected an open log, got a closed one");
  }
}

function outOfRange(seq: bigint, last: bigint): StoreError {
  return new StoreError("STORE_OUT_OF_RANGE", `expected a record from 1 to ${last}, got ${seq}`);
}

function gap(seq: bigint): StoreError {
  return new StoreError("STORE_SEQUENCE_GAP", `expected record ${seq}, got none`, { place: { file: "log", seq } });
}

function checkEnd(position: ChainPosition, last: bigint, head: LogHead): void {
  if (position.seq !== last) throw gap(position.seq + 1n);
  if (last === head.seq && !sameBytes(position.chain, fromHex(head.chain))) {
    throw new StoreError("STORE_BROKEN_CHAIN", `expected chain link ${head.chain} at the end of the log, got another`, {
      place: { file: "log", seq: last, commit: head.commit },
    });
  }
}
