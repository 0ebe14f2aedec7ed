import type { AppendRequest, LogHead, ReadOptions, Snapshot, SnapshotLog, StoredRecord } from "../../store/event-log.ts";
import { type Fate, tick } from "./fate.ts";

/** Who is told of every commit. */
export interface CommitWatch {
  /** The records are durable; the engine does not know yet. */
  onDurable(request: AppendRequest): void;
  /** The engine was told, and has run as far as it could since. */
  onAcknowledged(): void;
}

/** A log of one process that writes one request after the other, as slowly as asked, and may be cut off anywhere. */
export class WatchedLog implements SnapshotLog {
  readonly unverifiedUpTo = 0n;
  readonly #log: SnapshotLog;
  readonly #fate: Fate;
  readonly #watch: CommitWatch;
  readonly #writeTicks: number;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(log: SnapshotLog, fate: Fate, watch: CommitWatch, writeTicks: number) {
    this.#log = log;
    this.#fate = fate;
    this.#watch = watch;
    this.#writeTicks = writeTicks;
  }

  /** Whether something is being written. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  head(): LogHead {
    return this.#log.head();
  }

  async append({ bodies, ...request }: AppendRequest): Promise<{ readonly commit: bigint }> {
    const copy = { ...request, bodies: bodies.map((body) => body.slice()) };
    this.#waiting++;
    const written = this.#turn.then(() => this.#write(copy));
    this.#turn = written
      .then(tick)
      .then(() => this.#watch.onAcknowledged())
      .catch(() => {})
      .finally(() => this.#waiting--);
    return written;
  }

  async *read(options?: ReadOptions): AsyncGenerator<StoredRecord, void, undefined> {
    await this.#fate.boundary();
    yield* this.#log.read(options);
  }

  async get(seq: bigint): Promise<StoredRecord> {
    await this.#fate.boundary();
    return this.#log.get(seq);
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    await this.#fate.boundary();
    return this.#log.saveSnapshot(snapshot);
  }

  async *snapshots(): AsyncGenerator<Snapshot, void, undefined> {
    await this.#fate.boundary();
    yield* this.#log.snapshots();
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#fate.boundary();
    await this.#log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write(request: AppendRequest): Promise<{ readonly commit: bigint }> {
    for (let i = 0; i < this.#writeTicks; i++) await tick();
    await this.#fate.boundary();
    const result = await this.#log.append(request);
    this.#watch.onDurable(request);
    await this.#fate.boundary();
    return result;
  }
}
