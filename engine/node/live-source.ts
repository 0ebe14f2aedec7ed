import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isStoreError, StoreError, type StoreErrorCode } from "../../store/errors.ts";
import type { LogHead, ReadOptions, StoredRecord } from "../../store/event-log.ts";
import { HeadFile } from "../../store/head-file.ts";
import { type LiveLog, openLive, openToRead } from "../../store/open-to-read.ts";
import { HEAD } from "../../store/store-directory.ts";
import type { HistoryLog, HistorySource } from "../history-types.ts";

/** How often is looked who has the directory, and whether its log grew. */
const LOOK_EVERY_MS = 500;
/** A reading that meets the directory while it changes hands is tried again. */
const ATTEMPTS = 8;
const RETRY_MS = 250;
/** Of a directory that nobody has open so much is read in one opening. */
const PIECE_BYTES = 1024 * 1024;
const PASSING = new Set<StoreErrorCode>(["STORE_OWNER_LOST", "STORE_LOCKED", "STORE_CLOSED"]);

/**
 * The log of a directory that another process has open, or this one. Its owner is asked. Once that is gone, the directory
 * is opened for as long as a piece of the log takes to be read, not longer: a wallet can be opened in it again, and is
 * followed then.
 */
export class LiveSource implements HistorySource {
  readonly isLive = true;
  readonly isShared = false;
  readonly #directory: string;
  readonly #lookEveryMs: number;
  #live: LiveLog | undefined;
  #head: LogHead;
  #isAway = false;
  #isMissing = false;
  #isClosed = false;

  constructor(directory: string, live: LiveLog, lookEveryMs = LOOK_EVERY_MS) {
    this.#directory = directory;
    this.#lookEveryMs = lookEveryMs;
    this.#live = live;
    this.#head = live.head();
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  get isMissing(): boolean {
    return this.#isMissing;
  }

  log(): HistoryLog {
    return { head: () => this.#head, read: (options) => this.#read(options) };
  }

  async grown(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      await delay(this.#lookEveryMs, undefined, { signal });
      try {
        const hasNews = await this.#look(signal);
        const isBack = this.#isMissing;
        this.#isMissing = false;
        if (hasNews || isBack) return true;
      } catch (error) {
        signal.throwIfAborted();
        // Whatever else it is may pass: an owner that hangs, a directory that is being moved.
        if (isStoreError(error) && error.salvageable) throw error;
        if (this.#isMissing || !isStoreError(error, "STORE_NOT_FOUND")) continue;
        this.#isMissing = true;
        return true;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#live?.close();
  }

  /** Whether there is something new: records, an owner that came, or none any more. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const live = await openLive(this.#directory, { verify: "end", signal });
    if (live === undefined) return this.#isAway && !(await this.#wasOpened()) ? false : this.#takeRest(signal);
    try {
      const head = this.#sameLog(live.head());
      if (this.#live !== undefined && head.seq === this.#head.seq) {
        await live.close();
        return false;
      }
      this.#head = head;
    } catch (error) {
      await live.close();
      throw error;
    }
    await this.#replace(live);
    this.#isAway = false;
    return true;
  }

  /** Whether somebody had the directory open and went between two looks, or another log stands there: HEAD tells, unlocked. */
  async #wasOpened(): Promise<boolean> {
    const { logId, epoch, seq, clean } = await HeadFile.read(join(this.#directory, HEAD));
    const isSameEnd = clean ? seq === this.#head.seq : seq <= this.#head.seq;
    return logId !== this.#head.logId || epoch !== this.#head.epoch || !isSameEnd;
  }

  async #takeRest(signal: AbortSignal): Promise<boolean> {
    await using log = await openToRead(this.#directory, { verify: "end", signal });
    this.#head = this.#sameLog(log.head());
    this.#isAway = true;
    await this.#replace(undefined);
    return true;
  }

  async #replace(live: LiveLog | undefined): Promise<void> {
    const old = this.#live;
    this.#live = live;
    await old?.close();
  }

  async *#read({ from = 1n, to = this.#head.seq, signal }: ReadOptions = {}): AsyncGenerator<StoredRecord, void, undefined> {
    const last = to < this.#head.seq ? to : this.#head.seq;
    for (let next = from, attempt = 1; next <= last; ) {
      const live = this.#live;
      const options = { from: next, to: last, ...(signal === undefined ? {} : { signal }) };
      try {
        for await (const stored of live === undefined ? await this.#readPiece(options) : live.read(options)) {
          yield stored;
          next = stored.seq + 1n;
          attempt = 1;
        }
      } catch (error) {
        if (this.#isClosed || !isPassing(error) || attempt++ === ATTEMPTS) throw error;
        // What comes next finds out who is to be asked.
        if (this.#live === live) await this.#replace(undefined);
        await delay(RETRY_MS, undefined, { signal });
      }
    }
  }

  /** The first records of those asked for. Nobody is let wait before the directory is free again. */
  async #readPiece(options: ReadOptions): Promise<readonly StoredRecord[]> {
    const { signal } = options;
    await using log = await openToRead(this.#directory, { verify: "end", ...(signal === undefined ? {} : { signal }) });
    this.#sameLog(log.head());
    const piece: StoredRecord[] = [];
    let bytes = 0;
    for await (const stored of log.read(options)) {
      piece.push(stored);
      bytes += stored.body.length;
      if (bytes >= PIECE_BYTES) break;
    }
    return piece;
  }

  #sameLog(head: LogHead): LogHead {
    if (head.logId === this.#head.logId && head.seq >= this.#head.seq) return head;
    const { logId, seq } = this.#head;
    throw new StoreError(
      "STORE_SWAPPED",
      `expected log ${logId} with ${seq} records or more, got ${head.logId} with ${head.seq}`,
    );
  }
}

/** Whether it can be over in a moment: the owner went, another one is about to come, or a newer log took this one's place. */
function isPassing(error: unknown): boolean {
  return isStoreError(error) && PASSING.has(error.code);
}
