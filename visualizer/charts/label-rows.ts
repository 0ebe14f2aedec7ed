import type { ChartEdge } from "./chart.ts";
import type { LabelRow } from "./layout.ts";

/** Edges that say the same: one, or the same one of each state in a frame. */
export type SameEdges = readonly [ChartEdge, ...ChartEdge[]];

/** The rows of a label: events that need no guard, then those that need the same one, and below them the guard. */
export function labelRows(list: readonly SameEdges[]): LabelRow[] {
  const guards = new Set([null, ...list.map(([{ guard }]) => guard)]);
  return [...guards].flatMap((guard) => {
    const events = list.filter(([edge]) => edge.guard === guard);
    const rows: LabelRow[] = events.map((same) => ({ kind: "event", text: same[0].event, edges: idsOf(same) }));
    return guard === null ? rows : [...rows, { kind: "guard", text: `[${guard}]`, edges: events.flatMap(idsOf) }];
  });
}

function idsOf(edges: SameEdges): string[] {
  return edges.map(({ id }) => id);
}
