import type { RecordRow } from "../feed-record.ts";
import type { Session } from "./session.ts";
import { isOutdated } from "./verdicts.ts";

/** Records on each side of the one shown that are loaded with it, about as many as are seen. */
const AROUND = 12n;
/** Nearer to the end of what is listed than this, the list is loaded anew around the record. */
const MARGIN = 4n;
/** Records that come when the list is scrolled to an end of it, and the longest list that becomes of that. */
const MORE = 40n;
const LONGEST = 400;

/** A window of the log, loaded in pages: a long log never comes as a whole. */
export class ListedRecords {
  readonly #session: Session;
  #from = 1n;
  #to = 0n;
  #rows: readonly RecordRow[] = [];
  #loads = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  get rows(): readonly RecordRow[] {
    return this.#rows;
  }

  /** Whether it has the record and those near to it. */
  has(seq: bigint): boolean {
    const { first, head } = this.#session;
    const isNear = (seq >= this.#from + MARGIN || this.#from === first) && (seq <= this.#to - MARGIN || this.#to === head);
    return seq >= this.#from && seq <= this.#to && isNear;
  }

  /** Takes the records around one in the place of all others; of several at once the last. @throws FeedError; it has what it had then */
  async load(seq: bigint): Promise<void> {
    const [from, to] = this.#within(seq - AROUND, seq + AROUND);
    if (to < from) return;
    const load = ++this.#loads;
    const rows = await this.#session.source.records(String(from), String(to));
    if (load !== this.#loads) return;
    [this.#rows, this.#from, this.#to] = [rows, from, to];
  }

  /** Takes more records at one end. @returns whether there were any @throws FeedError */
  async extend(end: "before" | "after"): Promise<boolean> {
    const known = this.#rows;
    const [from, to] =
      end === "before" ? this.#within(this.#from - MORE, this.#from - 1n) : this.#within(this.#to + 1n, this.#to + MORE);
    if (known.length === 0 || known.length >= LONGEST || to < from) return false;
    const more = await this.#session.source.records(String(from), String(to));
    if (this.#rows !== known) return false;
    if (end === "before") [this.#from, this.#rows] = [from, [...more, ...known]];
    else [this.#to, this.#rows] = [to, [...known, ...more]];
    return true;
  }

  /** Takes the verdicts of those that were taken again since they were loaded. @returns whether there were any @throws FeedError */
  async renew(): Promise<boolean> {
    const known = this.#rows;
    if (!isOutdated(known, this.#session.shown.progress)) return false;
    const rows = await this.#session.source.records(String(this.#from), String(this.#to));
    if (this.#rows !== known) return false;
    this.#rows = rows;
    return true;
  }

  #within(from: bigint, to: bigint): readonly [bigint, bigint] {
    const { first, head } = this.#session;
    return [from < first ? first : from, to > head ? head : to];
  }
}
