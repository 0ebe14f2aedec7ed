import { FeedError, type FeedListener, type FeedSource, type Hello, type Search } from "../feed.ts";
import type { PartialMoment, RowPage, Series, SeriesPoint, Tables } from "../feed-moment.ts";
import type { Explained, InstancePath, Mark, RecordDetail, RecordRow } from "../feed-record.ts";
import type { Inlined } from "../inlined.ts";
import { InlinedLog } from "./inlined-log.ts";

const PATH_STEPS = 200;

/** What is in the page itself. */
export class FileFeed implements FeedSource {
  readonly #inlined: Promise<{ readonly inlined: Inlined; readonly log: InlinedLog }>;

  /** @param data gzip in base64 */
  constructor(data: string) {
    this.#inlined = unpack(data).then((inlined) => ({ inlined, log: new InlinedLog(inlined) }));
    // Whoever asks hears of it.
    this.#inlined.catch(() => {});
  }

  async hello(): Promise<Hello> {
    return (await this.#inlined).inlined.hello;
  }

  async records(from: string, to: string): Promise<readonly RecordRow[]> {
    const log = await this.#log(from, to);
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => log.row(Number(from) + at));
  }

  async record(seq: string): Promise<RecordDetail> {
    return (await this.#log(seq)).detail(Number(seq));
  }

  async moment(seq: string, tables: readonly (keyof Tables)[]): Promise<PartialMoment> {
    const { log } = await this.#inlined;
    const isBase = Number(seq) === log.first - 1;
    return (isBase ? log : await this.#log(seq)).moment(Number(seq), tables);
  }

  async rows<Table extends keyof Tables>(table: Table, seq: string, after: string): Promise<RowPage<Tables[Table]>> {
    return (await this.#inlined).log.page(table, Number(seq), after) as RowPage<Tables[Table]>;
  }

  async path(instance: string, seq: string): Promise<InstancePath> {
    const log = await this.#log(seq);
    const steps = log.recordsOf(instance).filter((at) => at <= Number(seq));
    const shown = steps.slice(-PATH_STEPS).map((at) => log.row(at));
    return { instance, machine: instance.split("/")[0] ?? "", steps: shown, leftOut: steps.length - shown.length };
  }

  async series(from: string, to: string, points: number): Promise<Series> {
    const log = await this.#log(from, to);
    const [first, last] = [Number(from), Number(to)];
    const count = Math.max(1, Math.min(points, last - first + 1));
    const found: SeriesPoint[] = [];
    let next = first;
    for (let point = 1; point <= count; point++) {
      const end = first + Math.floor(((last - first + 1) * point) / count) - 1;
      const marks: { [M in Mark]?: number } = {};
      for (; next <= end; next++) for (const mark of log.row(next).marks) marks[mark] = (marks[mark] ?? 0) + 1;
      const { checkpoint, balance } = log.numbers(end);
      const sats = { totalSats: balance.total, spendableSats: balance.spendable };
      found.push({ seq: String(end), atMs: log.row(end).atMs, checkpoint, ...sats, marks });
    }
    return { points: found };
  }

  async find(search: Search): Promise<RecordRow | null> {
    const { log } = await this.#inlined;
    const step = search.direction === "forward" ? 1 : -1;
    for (let seq = clamp(Number(search.from), log) + step; log.has(seq); seq += step) {
      const row = log.row(seq);
      if (fits(row, search)) return row;
    }
    return null;
  }

  async explain(id: string): Promise<Explained> {
    const { inlined } = await this.#inlined;
    const wanted = id.trim().toLowerCase();
    const exact = inlined.stories.find((story) => story.id === wanted);
    const found = exact ?? inlined.stories.find((story) => wanted.length >= 8 && story.id.startsWith(wanted.split("…")[0] ?? ""));
    if (found !== undefined) return found;
    throw new FeedError("NOT_IN_FILE", "The file does not hold this story; heartwood explain tells it from the log.");
  }

  follow(listener: FeedListener): () => void {
    listener.status("ended", "a file");
    return () => {};
  }

  async #log(...seqs: readonly string[]): Promise<InlinedLog> {
    const { log } = await this.#inlined;
    for (const seq of seqs) {
      if (log.has(Number(seq))) continue;
      throw new FeedError("OUT_OF_RANGE", `expected a record from ${log.first} to ${log.last}, got ${seq}`);
    }
    return log;
  }
}

/** In front of the range or behind it is at its border. */
function clamp(seq: number, { first, last }: InlinedLog): number {
  return Math.max(first - 1, Math.min(last + 1, seq));
}

function fits(row: RecordRow, { mark, instance, machine, type, verdict }: Search): boolean {
  return (
    (mark === undefined || row.marks.includes(mark)) &&
    (instance === undefined || row.instance === instance) &&
    (machine === undefined || row.machine === machine) &&
    (type === undefined || row.type === type) &&
    (verdict === undefined || row.verdict === verdict)
  );
}

async function unpack(data: string): Promise<Inlined> {
  try {
    const bytes = Uint8Array.from(atob(data.trim()), (character) => character.charCodeAt(0));
    const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    return JSON.parse(text) as Inlined;
  } catch {
    throw new FeedError("BAD_FILE", "The data in this page is damaged: it was cut or changed.");
  }
}
