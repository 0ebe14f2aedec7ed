import type { AnyStateNode } from "xstate";
import { machines } from "../machines/registry.ts";

/** A machine of this build in the form that XState's `createMachine` takes, as plain JSON. */
export interface MachineConfig extends StateConfig {
  readonly id: string;
  /** Revision of the machine. */
  readonly version: string;
}

/** A state in that form. */
export interface StateConfig {
  readonly type?: "final" | "parallel" | "history";
  readonly initial?: string;
  readonly states?: { readonly [key: string]: StateConfig };
  readonly on?: { readonly [event: string]: readonly TransitionConfig[] };
}

/** A transition in that form: guards and effects by name. */
export interface TransitionConfig {
  /** None for one that stays. */
  readonly target?: string;
  readonly guard?: string;
  /** Effects by name; `assign` for a change of the context, `enqueueActions` for effects that are computed. */
  readonly actions?: readonly string[];
  readonly reenter?: true;
}

/**
 * The machines of this build as XState has them, without the code of their guards and effects: for Stately's editor, or
 * any other tool that reads such definitions.
 */
export function machineDefinitions(): readonly MachineConfig[] {
  return machines.map(({ name, revision, logic }) => ({ ...toState(logic.root), id: name, version: String(revision) }));
}

function toState(node: AnyStateNode): StateConfig {
  const initial = node.initial?.target?.[0]?.key;
  const states = Object.entries(node.states).map(([key, child]) => [key, toState(child)] as const);
  const on = [...node.transitions].map(
    ([event, list]) => [event, list.map((transition) => toTransition(node, transition))] as const,
  );
  return {
    ...(node.type === "atomic" || node.type === "compound" ? {} : { type: node.type }),
    ...(initial === undefined ? {} : { initial }),
    ...(states.length === 0 ? {} : { states: Object.fromEntries(states) }),
    ...(on.length === 0 ? {} : { on: Object.fromEntries(on) }),
  };
}

type Transition = AnyStateNode["transitions"] extends Map<string, (infer Item)[]> ? Item : never;

function toTransition(source: AnyStateNode, { target, guard, actions, reenter }: Transition): TransitionConfig {
  const [to] = target ?? [];
  return {
    ...(to === undefined ? {} : { target: to.parent === source.parent ? to.key : `#${to.id}` }),
    ...(guard === undefined ? {} : { guard: nameOf(guard) }),
    ...(actions.length === 0 ? {} : { actions: actions.map(nameOf) }),
    ...(reenter ? { reenter: true as const } : {}),
  };
}

/** XState names what its own functions make `xstate.assign` and the like. */
function nameOf(part: unknown): string {
  if (typeof part === "string") return part;
  const { type, name } = part as { readonly type?: unknown; readonly name?: unknown };
  return String(type ?? name ?? "").replace(/^xstate\./, "");
}
