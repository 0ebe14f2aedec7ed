import type { ChartEdge, ChartState, MachineChart } from "./chart.ts";

/** What is read of a machine of the engine's registry. */
export interface DefinitionLike {
  readonly name: string;
  readonly revision: number;
  readonly logic: { readonly root: StateLike };
}

/** What is read of a state in XState's definition of a machine. */
interface StateLike {
  readonly path: readonly string[];
  readonly type: ChartState["kind"];
  readonly states: { readonly [key: string]: StateLike };
  readonly initial: { readonly target: readonly StateLike[] };
  readonly transitions: ReadonlyMap<string, readonly TransitionLike[]>;
}

interface TransitionLike {
  readonly target: readonly StateLike[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

/** The chart of a machine as its real definition has it: every state with its children, every transition in order. */
export function readChart({ name, revision, logic }: DefinitionLike): MachineChart {
  const states: ChartState[] = [];
  const edges: ChartEdge[] = [];
  const visit = (state: StateLike, parent: StateLike): void => {
    const isInitial = parent.type === "compound" && parent.initial.target.includes(state);
    states.push({ id: idOf(state), parent: parent.path.length === 0 ? null : idOf(parent), kind: state.type, isInitial });
    edges.push(...edgesOf(state));
    for (const child of Object.values(state.states)) visit(child, state);
  };
  for (const state of Object.values(logic.root.states)) visit(state, logic.root);
  return { name, revision, states, edges };
}

function edgesOf(state: StateLike): ChartEdge[] {
  const source = idOf(state);
  return [...state.transitions].flatMap(([event, list]) =>
    list.flatMap(({ target = [], guard, actions }, index) => {
      const isElse = guard === undefined && list.slice(0, index).some((before) => before.guard !== undefined);
      const edge = { source, event, guard: isElse ? "else" : guardName(guard), effects: actions.flatMap(effectName) };
      const targets = target.length === 0 ? [null] : target.map(idOf);
      return targets.map((to) => ({ id: `${source}/${event}/${index}`, ...edge, target: to }));
    }),
  );
}

function idOf({ path }: StateLike): string {
  return path.join(".");
}

function guardName(guard: unknown): string | null {
  if (guard === undefined) return null;
  if (typeof guard === "string") return guard;
  const { type, name } = guard as { readonly type?: unknown; readonly name?: unknown };
  return String(type ?? name ?? "…");
}

/** Assignments and computed lists of effects have types of XState's own; what is left are effects by name. */
function effectName(action: unknown): string[] {
  const type = typeof action === "string" ? action : (action as { readonly type?: unknown }).type;
  return typeof type === "string" && !type.startsWith("xstate.") ? [type] : [];
}
