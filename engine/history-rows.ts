import type { HistoryIndex, HistoryTableName } from "./history-index.ts";
import type { HistoryReader } from "./history-reader.ts";
import { type Movement, movementsOf } from "./movement-view.ts";
import { applyAgain, SparseState } from "./sparse-state.ts";
import { type QuarantinedVtxo, quarantineOf, vtxosOf, type WalletVtxo } from "./view.ts";
import type { OpenCommand } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** A run of a machine at a moment. */
export interface HistoryInstance {
  readonly instance: string;
  readonly machine: string;
  readonly state: string;
  readonly isFinished: boolean;
  /** Its first record, and the last one until the moment. */
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A command without a result at a moment, with the time of the record that asks for it. */
export interface HistoryCommand extends OpenCommand {
  readonly atMs: number;
}

/** Rows of each table. */
export interface HistoryTables {
  readonly instances: HistoryInstance;
  readonly coins: WalletVtxo;
  readonly movements: Movement;
  readonly quarantine: QuarantinedVtxo;
  readonly outbox: HistoryCommand;
}

/** A part of a table at a moment, the newest rows first. */
export interface HistoryPage<Row> {
  /** How many rows the whole table had. */
  readonly total: number;
  readonly rows: readonly Row[];
  /** Stands for the rows after these; null at the end. */
  readonly next: string | null;
}

/**
 * Rows of a table as they were after a record: those records are folded again that touched them, on a state with nothing
 * else in it.
 */
export async function rowsAt<Name extends HistoryTableName>(
  index: HistoryIndex,
  reader: HistoryReader,
  name: Name,
  place: { readonly seq: number; readonly limit: number; readonly after?: string },
): Promise<HistoryPage<HistoryTables[Name]>> {
  const { seq, limit, after } = place;
  const table = index.tables[name];
  const found = table.newestAt(seq, limit, after === undefined ? undefined : Number(after));
  const order = new Map(found.map(({ key }, position) => [key, position]));
  const touches = [...new Set(found.flatMap(({ row }) => [...table.touchesOf(row, seq)]))].sort((a, b) => a - b);
  // Together: they lie all over the log.
  await Promise.all(touches.map((at) => reader.get(at)));
  const state = new SparseState(index.machines, name === "coins" ? order.keys() : []);
  for (const at of touches) await applyAgain(index, reader, state, at);
  const rows = viewOf(state, name, index)
    .filter(({ key }) => order.has(key))
    .sort((a, b) => (order.get(a.key) ?? 0) - (order.get(b.key) ?? 0))
    .map(({ row }) => row as HistoryTables[Name]);
  const last = found.at(-1);
  const hasMore = last !== undefined && table.newestAt(seq, 1, last.row).length > 0;
  return { total: table.countAt(seq), rows, next: hasMore ? String(last.row) : null };
}

/** Rows of a state as they are shown, with their keys. */
export function viewOf(
  state: WalletState,
  name: HistoryTableName,
  index: HistoryIndex,
): { readonly key: string; readonly row: unknown }[] {
  switch (name) {
    case "coins":
      return vtxosOf(state).map((row) => ({ key: row.id, row }));
    case "movements":
      return movementsOf(state).map((row) => ({ key: row.id, row }));
    case "quarantine":
      return quarantineOf(state).map((row) => ({ key: row.key, row }));
    case "outbox":
      return [...state.outbox].map(([key, row]) => ({ key, row: { ...row, atMs: index.atMsOf(Number(row.seq)) } }));
  }
}

/** Instances at a moment: those that are not finished, the newest first, then those that finished last. */
export async function instancesAt(
  index: HistoryIndex,
  reader: HistoryReader,
  place: { readonly seq: number; readonly limit: number; readonly after?: string },
): Promise<HistoryPage<HistoryInstance>> {
  const { seq, limit, after = "u" } = place;
  const [kind, before] = [after.slice(0, 1), after.length > 1 ? Number(after.slice(1)) : Number.POSITIVE_INFINITY];
  const found: { readonly instance: number; readonly cursor: string }[] = [];
  if (kind === "u") {
    for (const instance of index.instances.unfinishedAt(seq, before)) {
      if (found.push({ instance, cursor: `u${instance}` }) > limit) break;
    }
  }
  if (found.length <= limit) {
    for (const { end, instance } of index.instances.finishedAt(seq, kind === "f" ? before : Number.POSITIVE_INFINITY)) {
      if (found.push({ instance, cursor: `f${end}` }) > limit) break;
    }
  }
  const rows = await Promise.all(found.slice(0, limit).map(({ instance }) => instanceAt(index, reader, instance, seq)));
  return { total: index.instances.countAt(seq), rows, next: found.length > limit ? (found[limit - 1]?.cursor ?? null) : null };
}

async function instanceAt(index: HistoryIndex, reader: HistoryReader, number: number, seq: number): Promise<HistoryInstance> {
  const [first, last] = [index.instances.firstOf(number), index.instances.lastOf(number, seq) ?? index.instances.firstOf(number)];
  const { transition } = await reader.get(last);
  return {
    instance: transition.instance,
    machine: transition.machine,
    state: index.states.afterOf(last),
    isFinished: index.instances.hasFinished(number, seq),
    firstSeq: BigInt(first),
    lastSeq: BigInt(last),
    firstAtMs: index.atMsOf(first),
    lastAtMs: index.atMsOf(last),
  };
}
