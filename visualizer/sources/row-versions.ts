import type { RowPage } from "../feed-moment.ts";

/** What a row was from a record on; null where it was gone. */
interface Version<Row> {
  readonly seq: number;
  readonly row: Row | null;
}

/** The rows of a table at any moment of a range. */
export class RowVersions<Row> {
  /** In order of appearance. */
  readonly #rows = new Map<string, Version<Row>[]>();
  readonly #totals: { readonly seq: number; readonly total: number }[];

  /** @param base rows before the range, the newest first, and how many there were in all */
  constructor(base: RowPage<Row>, keyOf: (row: Row) => string) {
    for (const row of [...base.rows].reverse()) this.#rows.set(keyOf(row), [{ seq: 0, row }]);
    this.#totals = [{ seq: 0, total: base.total }];
  }

  /** A record set a row, or with null took it out. */
  set(seq: number, key: string, row: Row | null): void {
    const versions = this.#rows.get(key);
    if (versions === undefined) this.#rows.set(key, [{ seq, row }]);
    else versions.push({ seq, row });
  }

  setTotal(seq: number, total: number): void {
    this.#totals.push({ seq, total });
  }

  /** A page of the rows after a record. @param from how many of the newest to leave out */
  at(seq: number, from: number, limit: number): RowPage<Row> {
    const found = this.all(seq);
    const rows = found.reverse().slice(from, from + limit);
    const next = from + rows.length < found.length ? String(from + rows.length) : null;
    return { total: lastUpTo(this.#totals, seq)?.total ?? 0, rows, next };
  }

  /** All rows after a record, the oldest first. */
  all(seq: number): Row[] {
    const found: Row[] = [];
    for (const versions of this.#rows.values()) {
      const row = lastUpTo(versions, seq)?.row;
      if (row !== undefined && row !== null) found.push(row);
    }
    return found;
  }
}

/** The last of some that stand in order of their records. */
export function lastUpTo<Item extends { readonly seq: number }>(items: readonly Item[], seq: number): Item | undefined {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}
