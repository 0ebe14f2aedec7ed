import type { ChartEdge, ChartState, MachineChart } from "./chart.ts";
import { labelRows, type SameEdges } from "./label-rows.ts";
import type { Arrow, Place } from "./layout.ts";

/** A frame must save as many labels to be worth its ink. */
const LEAST_SAVED = 2;

/** What is to be drawn, before it has a place: boxes in boxes, and arrows between them. */
export interface Arrangement {
  readonly places: readonly (Omit<Place, "box"> & { readonly parent: string | null })[];
  readonly arrows: readonly Omit<Arrow, "points" | "label">[];
}

/** States side by side, and what all of them do. */
interface Frame {
  readonly id: string;
  readonly parent: string | null;
  readonly members: readonly string[];
  readonly shared: ReadonlySet<string>;
}

/**
 * Makes few and legible things of a chart's edges: those between the same two states are one arrow, those that stay belong
 * to their box, and what several states have in common leaves once from a frame around them. So a machine whose working
 * states all stop in the same way has one arrow for it.
 */
export function arrange(chart: MachineChart): Arrangement {
  const { states, edges } = chart;
  const parents = [...new Set(states.map(({ parent }) => parent))];
  const frames = parents.flatMap((parent) => framesAmong(parent, chart));
  const framesOf = (state: string) => frames.filter(({ members }) => members.includes(state));
  const arrows = new Map<string, { from: string; to: string; lines: Map<string, SameEdges> }>();
  for (const edge of edges) {
    if (edge.target === null || edge.target === edge.source) continue;
    const key = edgeKey(edge);
    const from = framesOf(edge.source).find(({ shared }) => shared.has(key))?.id ?? edge.source;
    const arrow = arrows.get(`${from} ${edge.target}`) ?? { from, to: edge.target, lines: new Map() };
    arrows.set(`${from} ${edge.target}`, arrow);
    const same = arrow.lines.get(key);
    arrow.lines.set(key, same === undefined ? [edge] : [...same, edge]);
  }
  // A frame comes in front of its first state: the order of the definition is the order in which a chart is read.
  const places = states.flatMap(({ id, parent }) => {
    const around = framesOf(id);
    const inner = edges.filter((edge) => edge.source === id && (edge.target === null || edge.target === id));
    return [
      ...around
        .filter(({ members }) => members[0] === id)
        .map((frame) => ({ id: frame.id, kind: "frame" as const, parent: frame.parent, inner: [] })),
      { id, kind: "state" as const, parent: around.at(-1)?.id ?? parent, inner: labelRows(inner.map((edge) => [edge])) },
    ];
  });
  return {
    places,
    arrows: [...arrows.values()].map(({ from, to, lines }) => ({ from, to, rows: labelRows([...lines.values()]) })),
  };
}

function framesAmong(parent: string | null, { states, edges }: MachineChart): Frame[] {
  const isLeaf = ({ id, kind }: ChartState) => kind === "atomic" && !states.some((other) => other.parent === id);
  const leaves = states.filter((state) => state.parent === parent && isLeaf(state));
  const keysOf = (id: string) => new Set(edges.filter((edge) => edge.source === id).map(edgeKey));
  return framesIn(parent, new Map(leaves.map(({ id }) => [id, keysOf(id)])));
}

/** Frames side by side, each in front of the frames in it. */
function framesIn(parent: string | null, keys: ReadonlyMap<string, ReadonlySet<string>>): Frame[] {
  const rest = new Map(keys);
  const frames: Frame[] = [];
  for (let best = bestFrame(rest); best !== null; best = bestFrame(rest)) {
    const { members, shared } = best;
    const frame = { id: `{${members.join(",")}}`, parent, members, shared };
    const left = members.map((id) => [id, new Set([...(rest.get(id) ?? [])].filter((key) => !shared.has(key)))] as const);
    frames.push(frame, ...framesIn(frame.id, new Map(left)).filter((inner) => inner.members.length < members.length));
    for (const member of members) rest.delete(member);
  }
  return frames;
}

/** The same for edges that do the same, whichever state they leave. */
function edgeKey(edge: ChartEdge): string {
  return [edge.target ?? "", edge.event, edge.guard ?? "", ...edge.effects].join("\n");
}

function bestFrame(keys: ReadonlyMap<string, ReadonlySet<string>>): Pick<Frame, "members" | "shared"> | null {
  let best: Pick<Frame, "members" | "shared"> | null = null;
  let most = LEAST_SAVED - 1;
  const states = [...keys.keys()];
  for (const [index, first] of states.entries()) {
    for (const second of states.slice(index + 1)) {
      const frame = frameOfPair(first, second, keys);
      const saved = frame.shared.size * (frame.members.length - 1);
      if (saved > most && sparesArrows(frame, keys)) [best, most] = [frame, saved];
    }
  }
  return best;
}

/** All states that do what both do, as far as it leads out of them. */
function frameOfPair(first: string, second: string, keys: ReadonlyMap<string, ReadonlySet<string>>) {
  const common = [...(keys.get(first) ?? [])].filter((key) => keys.get(second)?.has(key) === true && targetOf(key) !== "");
  const members = [...keys].filter(([, own]) => common.every((key) => own.has(key))).map(([id]) => id);
  return { members, shared: new Set(common.filter((key) => !members.includes(targetOf(key)))) };
}

/** Whether there are fewer arrows with the frame: a state that has more to say to a target keeps its own arrow. */
function sparesArrows(
  { members, shared }: Pick<Frame, "members" | "shared">,
  keys: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  const targets = [...new Set([...shared].map(targetOf))];
  const kept = (target: string) =>
    members.filter((id) => [...(keys.get(id) ?? [])].some((key) => targetOf(key) === target && !shared.has(key))).length;
  return targets.reduce((spared, target) => spared + members.length - 1 - kept(target), 0) > 0;
}

/** Where an edge of that key leads. */
function targetOf(key: string): string {
  return key.slice(0, key.indexOf("\n"));
}
