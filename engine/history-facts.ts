import type { HistoryIndex } from "./history-index.ts";
import type { HistoryReader } from "./history-reader.ts";
import type { HistoryFacts, HistoryRecord } from "./history-types.ts";
import { MAILBOX } from "./wallet-state.ts";

/** A record as a history gives it, by its place. */
type RecordAt = (seq: number) => Promise<HistoryRecord>;

/**
 * What held after a record: the numbers of the index, and the few records that say the rest.
 *
 * @param seq 0 for the beginning
 */
export async function factsAt(
  index: HistoryIndex,
  reader: HistoryReader,
  recordAt: RecordAt,
  seq: number,
): Promise<HistoryFacts> {
  const { states, numbers } = index;
  const places = [...states.lastOfMachines(seq)];
  const last = new Map(await Promise.all(places.map(async ([machine, at]) => [machine, await recordAt(at)] as const)));
  return {
    seq: BigInt(seq),
    atMs: seq === 0 ? 0 : index.atMsOf(seq),
    epoch: seq === 0 ? 0n : (await reader.get(seq)).view.epoch,
    connection: last.get("connection")?.view.state ?? "Stopped",
    checkpoint: numbers.checkpointAt(seq),
    halted: numbers.isHaltedAt(seq) ? await haltAt(index, reader, seq) : null,
    balance: numbers.balanceAt(seq),
    counters: numbers.countersAt(seq),
    states: states.at(seq),
    last,
  };
}

async function haltAt(index: HistoryIndex, reader: HistoryReader, seq: number): Promise<HistoryFacts["halted"]> {
  const number = index.instances.numberOf(MAILBOX);
  const last = number === undefined ? undefined : index.instances.lastOf(number, seq);
  const context = last === undefined ? undefined : (await reader.after(last)).context;
  const at = context?.haltedAt;
  return typeof at === "bigint" ? { checkpoint: at, code: String(context?.haltCode) } : null;
}
