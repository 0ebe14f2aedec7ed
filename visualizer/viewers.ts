import type { ServerResponse } from "node:http";
import type { History, HistoryProgress } from "heartwood";
import { toRow } from "./feed-rows.ts";
import { toProgress } from "./history-feed.ts";

/** Pages that listen at once. */
const MOST_VIEWERS = 4;
/** What waits for one of them; one that lets more come together is let go. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** How often they hear of what is new. */
const TELL_EVERY_MS = 100;
/** Of more new records than this in between, the last ones are told. */
const MOST_RECORDS = 100n;
const HEARTBEAT_MS = 15_000;

/** The pages that listen: what is new goes to all of them, and nobody waits for any. */
export class Viewers {
  readonly #history: History;
  readonly #viewers = new Set<ServerResponse>();
  readonly #subscription: { unsubscribe(): void };
  readonly #heartbeat: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  /** The last record that was told of. */
  #told: bigint;

  constructor(history: History) {
    this.#history = history;
    this.#told = history.progress.head;
    this.#subscription = history.grew$.subscribe({ next: () => this.#schedule(), complete: () => this.#schedule() });
    this.#heartbeat = setInterval(() => this.#send(": still here\n\n"), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** How many listen. */
  get count(): number {
    return this.#viewers.size;
  }

  get isFull(): boolean {
    return this.count >= MOST_VIEWERS;
  }

  /** Lets one more listen, until it goes away or is too slow. */
  add(response: ServerResponse): void {
    this.#viewers.add(response);
    response.on("close", () => this.#viewers.delete(response));
    response.on("error", () => this.#viewers.delete(response));
    const { progress } = this.#history;
    response.write(frame("progress", toProgress(progress)));
    if (progress.isOver) response.write(ended(progress));
  }

  close(): void {
    this.#subscription.unsubscribe();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    for (const viewer of this.#viewers) viewer.destroy();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      void this.#tell().finally(() => {
        this.#timer = undefined;
        const { progress } = this.#history;
        if (isCaughtUp(progress) && progress.head > this.#told) this.#schedule();
      });
    }, TELL_EVERY_MS);
  }

  async #tell(): Promise<void> {
    const { progress } = this.#history;
    const from = this.#told + 1n;
    if (isCaughtUp(progress) || this.#viewers.size === 0) this.#told = progress.head;
    if (this.#viewers.size === 0) return;
    if (this.#told >= from) {
      const first = progress.head - from >= MOST_RECORDS ? progress.head - MOST_RECORDS + 1n : from;
      try {
        this.#send(frame("records", (await this.#history.records(first, progress.head)).map(toRow)));
      } catch {
        // Whoever asks for these records hears why.
      }
    }
    this.#send(frame("progress", toProgress(progress)));
    if (progress.isOver) this.#send(ended(progress));
  }

  #send(text: string): void {
    for (const viewer of this.#viewers) {
      viewer.write(text);
      if (viewer.writableLength <= MOST_WAITING_BYTES) continue;
      this.#viewers.delete(viewer);
      viewer.destroy();
    }
  }
}

/** While a long log is being read its records are no news. */
function isCaughtUp({ head, total }: HistoryProgress): boolean {
  return head === total;
}

function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function ended({ failure }: HistoryProgress): string {
  return frame("ended", { reason: failure?.message ?? "" });
}
