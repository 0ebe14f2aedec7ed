import { GrowingColumn } from "./growing-column.ts";

const OPEN = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A row that is in the table at the moment asked for. */
export interface FoundRow {
  /** Its place in order of appearance. */
  readonly row: number;
  readonly key: string;
}

/**
 * When each row of a table of the wallet's state was there, and which records touched it, in about 20 bytes a touch and
 * the key. What a row said at a moment is found by folding those records again.
 */
export class HistoryTable {
  readonly #born = new GrowingColumn(new Uint32Array());
  readonly #ended = new GrowingColumn(new Uint32Array());
  /** The last touch of each row, one more than its place; touches of a row are a chain. */
  readonly #lastTouch = new GrowingColumn(new Uint32Array());
  readonly #touchSeqs = new GrowingColumn(new Uint32Array());
  readonly #touchBefore = new GrowingColumn(new Uint32Array());
  readonly #touchRow = new GrowingColumn(new Uint32Array());
  /** Records that took a row out, in order, and which. */
  readonly #endSeqs = new GrowingColumn(new Uint32Array());
  readonly #endRow = new GrowingColumn(new Uint32Array());
  readonly #keys = new KeyList();
  readonly #live = new Map<string, number>();

  /** A record set that row. */
  touch(key: string, seq: number): void {
    let row = this.#live.get(key);
    if (row === undefined) {
      row = this.#born.length;
      this.#live.set(key, row);
      this.#keys.push(key);
      this.#born.push(seq);
      this.#ended.push(OPEN);
      this.#lastTouch.push(0);
    }
    this.#touchSeqs.push(seq);
    this.#touchRow.push(row);
    this.#touchBefore.push(this.#lastTouch.at(row));
    this.#lastTouch.set(row, this.#touchSeqs.length);
  }

  /** A record took that row out. */
  end(key: string, seq: number): void {
    const row = this.#live.get(key);
    if (row === undefined) return;
    this.#live.delete(key);
    this.#ended.set(row, seq);
    this.#endSeqs.push(seq);
    this.#endRow.push(row);
  }

  /** How many rows there were after a record: each appears once and goes once. */
  countAt(seq: number): number {
    return this.#born.countUpTo(seq) - this.#endSeqs.countUpTo(seq);
  }

  /** Rows that were there after a record, the newest first. @param before the row that came last; the newest if not given */
  newestAt(seq: number, limit: number, before = Number.POSITIVE_INFINITY): FoundRow[] {
    const found: FoundRow[] = [];
    for (let row = Math.min(before, this.#born.countUpTo(seq)) - 1; row >= 0 && found.length < limit; row--) {
      if (this.#isThere(row, seq)) found.push({ row, key: this.#keys.at(row) });
    }
    return found;
  }

  /** Rows that a record set, and rows that it took out. */
  changesOf(seq: number): { readonly set: readonly FoundRow[]; readonly ended: readonly FoundRow[] } {
    const between = (seqs: GrowingColumn, rows: GrowingColumn): FoundRow[] => {
      const [from, to] = [seqs.countUpTo(seq - 1), seqs.countUpTo(seq)];
      const found = Array.from({ length: to - from }, (_, at) => rows.at(from + at));
      return found.map((row) => ({ row, key: this.#keys.at(row) }));
    };
    return { set: between(this.#touchSeqs, this.#touchRow), ended: between(this.#endSeqs, this.#endRow) };
  }

  /** The record with which a row appeared. */
  bornOf(row: number): number {
    return this.#born.at(row);
  }

  /** Records that set a row, up to one, the last first. */
  *touchesOf(row: number, seq: number): Generator<number, void, undefined> {
    for (let touch = this.#lastTouch.at(row); touch !== 0; touch = this.#touchBefore.at(touch - 1)) {
      const at = this.#touchSeqs.at(touch - 1);
      if (at <= seq) yield at;
    }
  }

  #isThere(row: number, seq: number): boolean {
    const ended = this.#ended.at(row);
    return ended === OPEN || ended > seq;
  }
}

/** Texts one behind the other. */
class KeyList {
  #bytes = new Uint8Array(4_096);
  #length = 0;
  readonly #ends = new GrowingColumn(new Uint32Array());

  push(key: string): void {
    const bytes = encoder.encode(key);
    if (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length + bytes.length, Math.ceil(this.#bytes.length * 1.5)));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#ends.push(this.#length);
  }

  at(index: number): string {
    const start = index === 0 ? 0 : this.#ends.at(index - 1);
    return decoder.decode(this.#bytes.subarray(start, this.#ends.at(index)));
  }
}
