import { HISTORY_TABLES, type HistoryIndex, type HistoryTableName } from "./history-index.ts";
import type { HistoryReader } from "./history-reader.ts";
import { type HistoryTables, viewOf } from "./history-rows.ts";
import type { FoundRow } from "./history-table.ts";
import { applyAgain, SparseState } from "./sparse-state.ts";
import type { Balance } from "./view.ts";
import type { Counters } from "./wallet-rows.ts";
import { WalletState } from "./wallet-state.ts";

/** What a record did to a table. */
export interface TableChange<Row> {
  /** Rows that it brought or changed, as they were after it, by their keys. */
  readonly set: readonly { readonly key: string; readonly row: Row }[];
  /** Keys of rows that it took out. */
  readonly ended: readonly string[];
  /** How many rows there were after it. */
  readonly total: number;
}

/** What a record did to what is derived from the log. */
export interface HistoryChange {
  readonly seq: bigint;
  /** Numbers after it. */
  readonly checkpoint: bigint;
  readonly balance: Balance;
  readonly counters: Readonly<Counters>;
  /** Tables that it changed. */
  readonly tables: { readonly [Name in HistoryTableName]?: TableChange<HistoryTables[Name]> };
}

/** What each record from one to another did, in order: with the moment before the first of them, all moments between. */
export async function* changesOf(
  index: HistoryIndex,
  reader: HistoryReader,
  from: number,
  to: number,
): AsyncGenerator<HistoryChange, void, undefined> {
  const state = new SparseState(index.machines, []);
  const totals = new Map(HISTORY_TABLES.map((name) => [name, index.tables[name].countAt(from - 1)]));
  for (let seq = from; seq <= to; seq++) {
    const touched = HISTORY_TABLES.map((name) => ({ name, ...index.tables[name].changesOf(seq) }));
    for (const { name, set } of touched) {
      for (const row of set) await bringIn(index, reader, state, { ...row, name, seq });
    }
    await applyAgain(index, reader, state, seq);
    const tables: { [Name in HistoryTableName]?: TableChange<never> } = {};
    for (const { name, set, ended } of touched) {
      if (set.length + ended.length === 0) continue;
      const born = set.filter(({ row }) => index.tables[name].bornOf(row) === seq).length;
      const total = (totals.get(name) ?? 0) + born - ended.length;
      totals.set(name, total);
      tables[name] = { set: shown(index, state, name, set) as never, ended: ended.map(({ key }) => key), total };
    }
    const counters = index.numbers.countersAt(seq);
    yield {
      seq: BigInt(seq),
      checkpoint: index.numbers.checkpointAt(seq),
      balance: index.numbers.balanceAt(seq),
      counters,
      tables,
    };
  }
}

/** A row that is older than the record that changes it is first made as it was before. */
async function bringIn(
  index: HistoryIndex,
  reader: HistoryReader,
  state: SparseState,
  { name, row, key, seq }: FoundRow & { readonly name: HistoryTableName; readonly seq: number },
): Promise<void> {
  if (name === "coins") state.coins.want(key);
  if (state[name].has(key) || index.tables[name].bornOf(row) === seq) return;
  const alone = new SparseState(index.machines, name === "coins" ? [key] : []);
  const touches = [...index.tables[name].touchesOf(row, seq - 1)].reverse();
  for (const at of touches) await applyAgain(index, reader, alone, at);
  const found = alone[name].get(key);
  if (found !== undefined) (state[name] as Map<string, unknown>).set(key, found);
}

function shown(index: HistoryIndex, state: SparseState, name: HistoryTableName, set: readonly FoundRow[]) {
  const alone = new WalletState(index.machines);
  for (const { key } of set) {
    const row = state[name].get(key);
    if (row !== undefined) (alone[name] as Map<string, unknown>).set(key, row);
  }
  return viewOf(alone, name, index);
}
