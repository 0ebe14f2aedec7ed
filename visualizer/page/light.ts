import type { ChartEdge, MachineChart } from "../charts/chart.ts";
import type { MomentFacts } from "../feed-moment.ts";
import type { InstancePath, RecordRow } from "../feed-record.ts";
import type { Light } from "./chart-view.ts";

type Step = Pick<RecordRow, "before" | "after" | "type">;

/**
 * What to light on a machine's chart: the chosen instance with its whole way, or else the one that moved last.
 *
 * @param path of the chosen instance, if it is of this machine
 */
export function lightOf(chart: MachineChart, moment: MomentFacts | null, path: InstancePath | null): Light {
  const counts = moment?.states[chart.name] ?? {};
  const steps: readonly Step[] = path?.steps ?? [];
  // Before the chosen one began none is lit: what another one did is not its way.
  const last = path === null ? moment?.last[chart.name] : steps.at(-1);
  if (last === undefined) return { active: new Set(), last: new Set(), way: new Set(), visited: new Set(), counts };
  return {
    active: new Set(withOuter(last.after, chart)),
    last: new Set(edgesOf(last, chart)),
    way: new Set(steps.slice(0, -1).flatMap((step) => edgesOf(step, chart))),
    visited: new Set(
      steps.flatMap(({ before, after }) => [before ?? initialState(chart), after].flatMap((state) => withOuter(state, chart))),
    ),
    counts,
  };
}

/** Edges that a step can have taken: a guard is not known, but where it led is. */
function edgesOf({ before, after, type }: Step, chart: MachineChart): string[] {
  const source = before ?? initialState(chart);
  const sources = withOuter(source, chart);
  const leads = ({ target }: ChartEdge) => (target === null ? after === source : withOuter(after, chart).includes(target));
  const fitting = chart.edges.filter((edge) => edge.event === type && sources.includes(edge.source) && leads(edge));
  return fitting.map(({ id }) => id);
}

/** A state and those around it. */
function withOuter(state: string, { states }: MachineChart): string[] {
  const parent = states.find(({ id }) => id === state)?.parent ?? null;
  return parent === null ? [state] : [state, ...withOuter(parent, { states } as MachineChart)];
}

function initialState({ states }: MachineChart, parent: string | null = null): string {
  const first = states.find((state) => state.parent === parent && state.isInitial);
  if (first === undefined) return parent ?? "";
  return initialState({ states } as MachineChart, first.id);
}
