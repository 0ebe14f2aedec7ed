import { type Observable, Subject } from "rxjs";
import { isStoreError } from "../store/errors.ts";
import { codeOf } from "./errors.ts";
import type { HistoryCheck } from "./history-check.ts";
import type { HistoryIndex } from "./history-index.ts";
import type { HistoryProgress, HistorySource } from "./history-types.ts";
import { viewTransition } from "./transition.ts";

/** Reading goes on for so long before others have their turn; where a wallet works in the same process, for less. */
const SLICE_MS = 12;
const SHARED_SLICE_MS = 4;
/** How long a wallet has its turn. */
const SHARED_PAUSE_MS = 12;
/** Who asks has its answer first; then reading goes on, also while others ask. */
const QUESTION_PATIENCE_MS = 100;
/** Taking steps again waits for a while of quiet. */
const QUIET_MS = 200;
const LOOK_EVERY_MS = 4;
/** Records that are taken again from one reading of the log, which may be another log by then. */
const CHECK_RECORDS = 2_048;
/** How long the check of a live log waits where it could not read on. */
const RETRY_MS = 500;

/** Reads a source into an index in the background, then takes all steps again, and follows the source where it grows. */
export class HistoryLoader {
  readonly #source: HistorySource;
  readonly #index: HistoryIndex;
  readonly #check: HistoryCheck;
  readonly #grew$ = new Subject<HistoryProgress>();
  readonly #closed = new AbortController();
  readonly #read: Promise<void>;
  readonly #running: Promise<void>;
  #isRead = false;
  #isOver = false;
  #failure: HistoryProgress["failure"] = null;
  #questions = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => {};

  /** Begins at once. */
  constructor(source: HistorySource, index: HistoryIndex, check: HistoryCheck) {
    this.#source = source;
    this.#index = index;
    this.#check = check;
    const { signal } = this.#closed;
    this.#read = this.#readOn(signal).catch((error: unknown) => this.#fail(error));
    this.#running = this.#run(signal);
  }

  get progress(): HistoryProgress {
    return {
      head: BigInt(this.#index.head),
      checked: BigInt(this.#check.checked),
      total: this.#source.log().head().seq,
      isLive: this.#source.isLive && !this.#isOver,
      isAway: this.#source.isAway === true,
      isMissing: this.#source.isMissing === true,
      isOver: this.#isOver,
      differing: this.#check.differing.map(BigInt),
      differingCount: this.#check.differingCount,
      failure: this.#failure,
    };
  }

  get grew$(): Observable<HistoryProgress> {
    return this.#grew$.asObservable();
  }

  /** Resolves when everything was read that there was at the beginning, or reading failed. */
  read(): Promise<void> {
    return this.#read;
  }

  /** Resolves when there is no more to read and to check. */
  over(): Promise<void> {
    return this.#running;
  }

  /** Reading stands back while a question is answered. */
  async answering<T>(answer: () => Promise<T>): Promise<T> {
    this.#questions++;
    try {
      return await answer();
    } finally {
      this.#questions--;
      this.#askedMs = performance.now();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#wake();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#read;
    try {
      if (this.#failure === null) await Promise.all([this.#follow(signal), this.#checkAll(signal)]);
    } catch (error) {
      this.#fail(error);
    }
    this.#isOver = true;
    this.#tell();
    this.#grew$.complete();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      while (await this.#source.grown(signal)) {
        await this.#readOn(signal);
        this.#wake();
      }
    } finally {
      this.#isRead = true;
      this.#wake();
    }
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const slices = this.#slices();
    for await (const { record } of this.#source.log().read({ from: BigInt(this.#index.head + 1), signal })) {
      this.#index.add(viewTransition(record, this.#index.machines));
      if (slices.isOver()) await slices.next(() => this.#questionsOf(QUESTION_PATIENCE_MS));
    }
    this.#tell();
  }

  async #checkAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#failure === null) {
      if (this.#check.checked < this.#index.head) await this.#checkOn(signal);
      else if (this.#isRead) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #checkOn(signal: AbortSignal): Promise<void> {
    const slices = this.#slices();
    const from = this.#check.checked + 1;
    const to = Math.min(this.#index.head, this.#check.checked + CHECK_RECORDS);
    try {
      for await (const { record } of this.#source.log().read({ from: BigInt(from), to: BigInt(to), signal })) {
        this.#check.next(record);
        if (slices.isOver()) await slices.next(() => this.#quiet(signal));
      }
      this.#tell();
    } catch (error) {
      // An owner may come back. Damage stays, and so does another log in the place of this one.
      if (!this.#source.isLive || signal.aborted || (isStoreError(error) && error.salvageable)) throw error;
      if (this.#isRead) this.#closed.abort();
      else await pause(RETRY_MS);
    }
  }

  #slices(): Slices {
    return this.#source.isShared ? new Slices(SHARED_SLICE_MS, SHARED_PAUSE_MS) : new Slices(SLICE_MS, 0);
  }

  async #questionsOf(patienceMs: number): Promise<void> {
    this.#tell();
    for (let waitedMs = 0; this.#questions > 0 && waitedMs < patienceMs; waitedMs += LOOK_EVERY_MS) await pause(LOOK_EVERY_MS);
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    this.#tell();
    const isQuiet = (): boolean => this.#questions === 0 && performance.now() - this.#askedMs > QUIET_MS;
    while (!isQuiet() && !signal.aborted) await pause(LOOK_EVERY_MS);
  }

  #tell(): void {
    this.#grew$.next(this.progress);
  }

  #fail(error: unknown): void {
    if (this.#closed.signal.aborted || this.#failure !== null) return;
    const message = error instanceof Error ? error.message : "reading failed";
    this.#failure = { code: codeOf(error) ?? "INTERNAL", message, error };
    this.#closed.abort();
  }
}

/** Work in pieces, with turns for others in between. */
class Slices {
  readonly #lengthMs: number;
  readonly #pauseMs: number;
  #beganMs = performance.now();

  constructor(lengthMs: number, pauseMs: number) {
    this.#lengthMs = lengthMs;
    this.#pauseMs = pauseMs;
  }

  isOver(): boolean {
    return performance.now() - this.#beganMs >= this.#lengthMs;
  }

  async next(others: () => Promise<void>): Promise<void> {
    await pause(this.#pauseMs);
    await others();
    this.#beganMs = performance.now();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
