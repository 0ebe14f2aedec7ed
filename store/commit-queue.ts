import type { CommitSink } from "./back-end.ts";
import { fromHex, toHex } from "./bytes.ts";
import { decodeRecord, type RawFrame } from "./chain-reader.ts";
import { StoreError, toStoreError } from "./errors.ts";
import type { AppendRequest, LogHead } from "./event-log.ts";
import { bodyIn, seal, unsealedFrames } from "./frame.ts";

/** Limits of one commit; a single request larger than that is a commit of its own. */
const COMMIT_RECORDS_MAX = 4_096;
const COMMIT_BYTES_MAX = 4 * 1024 * 1024;

interface QueuedRequest {
  /** Not sealed yet. */
  readonly frames: readonly Uint8Array[];
  readonly resolve: (result: { readonly commit: bigint }) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * Group commit: one batch is being written, what arrives meanwhile fills the next.
 *
 * The head of a commit is written while the frames of the next one are, so the log may lead HEAD by two commits, and
 * HEAD never leads the log. After the first failed write nothing is written any more: a LevelDB handle that ran out
 * of room acknowledges later writes and loses them.
 */
export class CommitQueue {
  readonly #sink: CommitSink;
  readonly #queue: QueuedRequest[] = [];
  /** The end that readers see. */
  #committed: LogHead;
  /** The end of what was handed to the back end. */
  #written: LogHead;
  /** The last record that is queued, written or not. */
  #queuedSeq: bigint;
  #running: Promise<void> | undefined;
  #headSync: Promise<void> = Promise.resolve();
  #poison: StoreError | undefined;

  constructor(head: LogHead, sink: CommitSink) {
    this.#sink = sink;
    this.#committed = head;
    this.#written = head;
    this.#queuedSeq = head.seq;
  }

  /** The committed end. */
  get committed(): LogHead {
    return this.#committed;
  }

  /** Whether a write failed. */
  get poisoned(): boolean {
    return this.#poison !== undefined;
  }

  /** See {@link EventLog.append}. */
  append(request: AppendRequest): Promise<{ readonly commit: bigint }> {
    return new Promise((resolve, reject) => {
      if (this.#poison !== undefined) throw poisoned(this.#poison);
      const frames = this.#check(request);
      this.#queuedSeq += BigInt(frames.length);
      this.#queue.push({ frames, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is queued or being written. Never rejects. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.#headSync;
  }

  #check(request: AppendRequest): Uint8Array[] {
    const { epoch } = this.#committed;
    const expectedSeq = this.#queuedSeq + 1n;
    if (request.epoch !== epoch || request.expectedSeq !== expectedSeq) {
      throw new StoreError(
        "STORE_CONFLICT",
        `expected record ${expectedSeq} of epoch ${epoch}, got ${request.expectedSeq} of epoch ${request.epoch}`,
      );
    }
    if (request.bodies.length === 0) throw new StoreError("STORE_BAD_RECORD", "expected at least one record, got none");
    const frames = unsealedFrames(request.bodies);
    for (const [index, frame] of frames.entries()) {
      const seq = expectedSeq + BigInt(index);
      // The copy, which nobody can change any more.
      const record = decodeRecord(bodyIn(frame), { seq });
      if (record.seq !== seq || record.epoch !== epoch) {
        throw new StoreError(
          "STORE_BAD_RECORD",
          `expected record ${seq} of epoch ${epoch}, got ${record.seq} of epoch ${record.epoch}`,
          {
            place: { seq },
          },
        );
      }
    }
    return frames;
  }

  async #run(): Promise<void> {
    // Requests of one turn of the event loop share the first commit.
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#poison === undefined) await this.#commit(this.#takeBatch());
    this.#running = undefined;
  }

  async #commit(requests: readonly QueuedRequest[]): Promise<void> {
    const { head, frames } = this.#seal(requests);
    try {
      await this.#sink.writeFrames(frames);
    } catch (error) {
      this.#fail(toStoreError(error, `writing commit ${head.commit}`), requests);
      return;
    }
    this.#written = head;
    // Not before the head of the previous commit is durable: the log leads by two at most.
    await this.#headSync;
    if (this.#poison === undefined) this.#headSync = this.#acknowledge(head, requests);
    else reject(requests, poisoned(this.#poison));
  }

  async #acknowledge(head: LogHead, requests: readonly QueuedRequest[]): Promise<void> {
    try {
      await this.#sink.writeHead(head);
    } catch (error) {
      this.#fail(toStoreError(error, `writing the head of commit ${head.commit}`, "STORE_IO", { file: "HEAD" }), requests);
      return;
    }
    this.#committed = head;
    for (const request of requests) request.resolve({ commit: head.commit });
  }

  #fail(error: StoreError, requests: readonly QueuedRequest[]): void {
    const first = this.#poison === undefined;
    this.#poison ??= error;
    reject(requests, first ? error : poisoned(this.#poison));
    reject(this.#queue.splice(0), poisoned(this.#poison));
  }

  #takeBatch(): QueuedRequest[] {
    let records = 0;
    let bytes = 0;
    const next = this.#queue.findIndex((request, index) => {
      records += request.frames.length;
      bytes += request.frames.reduce((sum, frame) => sum + frame.length, 0);
      return index > 0 && (records > COMMIT_RECORDS_MAX || bytes > COMMIT_BYTES_MAX);
    });
    return this.#queue.splice(0, next === -1 ? this.#queue.length : next);
  }

  #seal(requests: readonly QueuedRequest[]): { head: LogHead; frames: RawFrame[] } {
    const commit = this.#written.commit + 1n;
    let chain = fromHex(this.#written.chain);
    let seq = this.#written.seq;
    const frames = requests
      .flatMap((request) => request.frames)
      .map((bytes, index, { length }) => {
        chain = seal(bytes, chain, { commit, endsCommit: index === length - 1 });
        seq += 1n;
        return { seq, bytes };
      });
    return { head: { ...this.#written, commit, seq, chain: toHex(chain) }, frames };
  }
}

function poisoned(cause: StoreError): StoreError {
  return new StoreError(
    "STORE_POISONED",
    `expected no failed write before this one, got ${cause.code}; close and reopen the log`,
    { cause },
  );
}

function reject(requests: readonly QueuedRequest[], error: StoreError): void {
  for (const request of requests) request.reject(error);
}
