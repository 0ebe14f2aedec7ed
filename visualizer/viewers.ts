import type { ServerResponse } from "node:http";
import type { History, HistoryProgress } from "heartwood";
import { toProgress } from "./history-feed.ts";

/** Pages that listen at once. */
const MOST_VIEWERS = 4;
/** What waits for one of them; one that lets more come together is let go. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** How often they hear how far reading has come; what they show they ask for. */
const TELL_EVERY_MS = 100;
const HEARTBEAT_MS = 15_000;

/** The pages that listen: all of them hear how far reading has come, and nobody waits for any. */
export class Viewers {
  readonly #history: History;
  readonly #viewers = new Set<ServerResponse>();
  readonly #subscription: { unsubscribe(): void };
  readonly #heartbeat: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;

  constructor(history: History) {
    this.#history = history;
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
    response.write(news(this.#history.progress));
  }

  close(): void {
    this.#subscription.unsubscribe();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    for (const viewer of this.#viewers) viewer.destroy();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send(news(this.#history.progress));
    }, TELL_EVERY_MS);
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

function news(progress: HistoryProgress): string {
  const ended = progress.isOver ? frame("ended", { reason: progress.failure?.message ?? "" }) : "";
  return `${frame("progress", toProgress(progress))}${ended}`;
}

function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
