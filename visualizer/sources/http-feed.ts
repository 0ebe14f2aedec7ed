import type { FeedListener, FeedSource, Hello, Progress, Search } from "../feed.ts";
import { FeedError } from "../feed.ts";
import type { PartialMoment, RowPage, Series, Tables } from "../feed-moment.ts";
import type { Explained, InstancePath, RecordDetail, RecordRow } from "../feed-record.ts";

/** Waits before the feed is opened again, the last one for good. */
const RETRY_MS = [250, 500, 1_000, 2_000, 5_000];

/** What the host of the page says, over HTTP. */
export class HttpFeed implements FeedSource {
  readonly #token: string;
  readonly #origin: string;

  /**
   * @param token from the address of the page
   * @param origin of the host; a page asks its own
   */
  constructor(token: string, origin = "") {
    this.#token = token;
    this.#origin = origin;
  }

  hello(): Promise<Hello> {
    return this.#ask("hello", {});
  }

  records(from: string, to: string): Promise<readonly RecordRow[]> {
    return this.#ask("records", { from, to });
  }

  record(seq: string): Promise<RecordDetail> {
    return this.#ask("record", { seq });
  }

  moment(seq: string, tables: readonly (keyof Tables)[]): Promise<PartialMoment> {
    return this.#ask("moment", { seq, tables: tables.join() });
  }

  rows<Table extends keyof Tables>(table: Table, seq: string, after: string): Promise<RowPage<Tables[Table]>> {
    return this.#ask("rows", { table, seq, after });
  }

  path(instance: string, seq: string): Promise<InstancePath> {
    return this.#ask("path", { instance, seq });
  }

  series(from: string, to: string, points: number): Promise<Series> {
    return this.#ask("series", { from, to, points: String(points) });
  }

  find(search: Search): Promise<RecordRow | null> {
    return this.#ask("find", { ...search });
  }

  explain(id: string): Promise<Explained> {
    return this.#ask("explain", { id });
  }

  follow(listener: FeedListener): () => void {
    const stopped = new AbortController();
    void this.#follow(listener, stopped.signal);
    return () => stopped.abort();
  }

  async #follow(listener: FeedListener, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const response = await this.#fetch("/api/events", signal);
        for await (const { event, data } of eventsOf(response)) {
          if (failures !== -1) listener.status("connected", "");
          failures = -1;
          if (event === "progress") listener.progress(data as Progress);
          if (event === "ended") return listener.status("ended", (data as { readonly reason: string }).reason);
        }
        if (!signal.aborted) listener.status("lost", "the connection ended");
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof FeedError && error.code === "UNAUTHORIZED") return listener.status("ended", error.message);
        listener.status("lost", error instanceof FeedError ? error.message : "the host does not answer");
      }
      failures = Math.max(failures, 0);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]));
    }
  }

  async #ask<Answer>(path: string, question: Readonly<Record<string, string>>): Promise<Answer> {
    const response = await this.#fetch(`/api/${path}?${new URLSearchParams(question)}`);
    try {
      return (await response.json()) as Answer;
    } catch {
      throw new FeedError("LOST", "the answer of the host broke off");
    }
  }

  async #fetch(path: string, signal?: AbortSignal): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.#token}` };
    let response: Response;
    try {
      response = await fetch(`${this.#origin}${path}`, { headers, ...(signal === undefined ? {} : { signal }) });
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw new FeedError("LOST", "the host does not answer");
    }
    if (response.ok) return response;
    const { code = "INTERNAL", message = "" } = (await response.json().catch(() => ({}))) as Partial<FeedError>;
    throw new FeedError(code, message);
  }
}

/** Server-sent events: `EventSource` cannot send the token. */
async function* eventsOf({ body }: Response): AsyncGenerator<{ readonly event: string; readonly data: unknown }> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (event !== "") yield { event, data: JSON.parse(data) };
    }
  }
}
