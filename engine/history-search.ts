import type { HistoryCheck } from "./history-check.ts";
import type { HistoryIndex } from "./history-index.ts";
import type { HistorySearch } from "./history-types.ts";

/** The nearest record that fits a search, or undefined. */
export function nearest(index: HistoryIndex, check: HistoryCheck, search: HistorySearch): number | undefined {
  const { from, direction, mark, machine, type, instance, verdict } = search;
  const { instances, states } = index;
  const number = instance === undefined ? undefined : instances.numberOf(instance);
  if (instance !== undefined && number === undefined) return undefined;
  const isWanted = states.isOf({ ...(machine === undefined ? {} : { machine }), ...(type === undefined ? {} : { type }) });
  return index.find(Number(from), direction === "forward" ? 1 : -1, (seq) => {
    if (mark !== undefined && !index.hasMark(seq, mark)) return false;
    if (number !== undefined && instances.of(seq) !== number) return false;
    return isWanted(seq) && (verdict === undefined || check.verdictOf(seq) === verdict);
  });
}
