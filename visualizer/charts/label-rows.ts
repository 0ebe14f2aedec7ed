import type { ChartEdge } from "./chart.ts";
import type { LabelRow } from "./layout.ts";
import { TEXT } from "./measure.ts";

/** Between events that need one guard and those that need another. */
const GAP = 5;

/** Edges that say the same: one, or the same one of each state in a frame. */
export type SameEdges = readonly [ChartEdge, ...ChartEdge[]];

/** The rows of a label: events that need no guard, then those that need the same one, and below them the guard. */
export function labelRows(list: readonly SameEdges[]): LabelRow[] {
  const guards = new Set([null, ...list.map(([{ guard }]) => guard)]);
  const rows: LabelRow[] = [];
  let top = 0;
  const add = (row: Omit<LabelRow, "top">): void => {
    rows.push({ ...row, top });
    top += TEXT.lineHeight;
  };
  for (const guard of guards) {
    const events = list.filter(([edge]) => edge.guard === guard);
    if (rows.length > 0 && events.length > 0) top += GAP;
    for (const same of events) add({ kind: "event", text: same[0].event, edges: idsOf(same) });
    if (guard !== null) add({ kind: "guard", text: `[${guard}]`, edges: events.flatMap(idsOf) });
  }
  return rows;
}

function idsOf(edges: SameEdges): string[] {
  return edges.map(({ id }) => id);
}
