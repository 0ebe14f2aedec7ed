import { type AnyActorScope, type AnyMachineSnapshot, type AnyStateMachine, createActor, initialTransition } from "xstate";
import { sha256 } from "../ark/crypto.ts";
import { encodeCanonical, equalPlain, type Plain } from "./canonical.ts";
import { type Effect, isEffectType } from "./effects.ts";
import { MachineError } from "./errors.ts";
import type { EventSchemas } from "./event-schemas.ts";

/** Plain data of a machine between two steps. */
export interface Instance {
  readonly state: string;
  readonly context: Readonly<Record<string, Plain>>;
}

/** A machine with the name and the hand-raised revision that its records carry. */
export interface MachineDefinition {
  readonly name: string;
  readonly revision: number;
  /** Every event type of its records, with how older ones are read. */
  readonly events: EventSchemas;
  readonly logic: AnyStateMachine;
  /** From each earlier revision to the one after it, for instances that were not finished in it. */
  readonly migrations?: { readonly [fromRevision: number]: Migration };
  /** States that earlier revisions had and this one has not. */
  readonly retiredStates?: { readonly [state: string]: "finished" | "unfinished" };
}

/** Makes an instance of one revision one of the next. Pure: it is run again when the log is replayed. */
export type Migration = (instance: Instance) => Instance;

/** An event of any machine. */
export interface MachineEvent {
  readonly type: string;
  readonly [member: string]: Plain | undefined;
}

/** What one event does to one instance. */
export type Outcome =
  /** No transition is selected: nothing changes, the event is counted. */
  | { readonly kind: "unexpected" }
  | {
      readonly kind: "taken";
      readonly next: Instance;
      /** Members of the context that differ from before; all of them in an instance's first step. */
      readonly change: Readonly<Record<string, Plain>>;
      readonly effects: readonly Effect[];
      readonly digest: Uint8Array;
    };

/**
 * The next state of an instance and the effects it asks for. Pure; the only use of XState's run time.
 *
 * @param current undefined for an instance that does not exist yet: the machine's initial state takes the event
 * @throws MachineError `MACHINE_FAULT` if a guard or an assignment throws, `UNKNOWN_STATE`, `UNKNOWN_EFFECT`
 */
export function step(machine: MachineDefinition, current: Instance | undefined, event: MachineEvent): Outcome {
  if (current !== undefined && isFinished(machine, current.state)) return { kind: "unexpected" };
  try {
    const before = restore(machine, current);
    if (!before.can(event)) return { kind: "unexpected" };
    const [after, actions] = transition(machine.logic, before, event);
    const next: Instance = { state: stateName(after.value), context: after.context as Instance["context"] };
    const effects = actions.map((action) => toEffect(machine, action));
    return { kind: "taken", next, change: changed(current?.context ?? {}, next.context), effects, digest: stateDigest(next) };
  } catch (cause) {
    if (cause instanceof MachineError) throw cause;
    throw new MachineError(
      "MACHINE_FAULT",
      `${machine.name} cannot take ${event.type} in ${current?.state ?? "its initial state"}`,
      cause,
    );
  }
}

/**
 * The guard of the transition that an event takes, to show it: `else` for one without where those before it have one.
 *
 * @returns null where there is no guard, or the event is not taken
 * @throws what a guard throws
 */
export function guardTaken(machine: MachineDefinition, current: Instance | undefined, event: MachineEvent): string | null {
  const before = restore(machine, current);
  const [taken] = machine.logic.getTransitionData(before, event);
  if (taken === undefined) return null;
  const { guard } = taken;
  if (guard !== undefined) return typeof guard === "string" ? guard : String((guard as { readonly type?: unknown }).type);
  const siblings = taken.source.transitions.get(taken.eventType) ?? [];
  return siblings.some((other) => other !== taken && other.guard !== undefined) ? "else" : null;
}

/**
 * Whether an instance in that state takes no more events.
 *
 * @param revision the one that its last record has: an earlier one may have had states that are retired now
 * @throws MachineError `UNKNOWN_STATE`
 */
export function isFinished(machine: MachineDefinition, state: string, revision = machine.revision): boolean {
  const { retiredStates = {} } = machine;
  if (revision < machine.revision && Object.hasOwn(retiredStates, state)) return retiredStates[state] === "finished";
  const node = machine.logic.states[state];
  if (node === undefined) throw new MachineError("UNKNOWN_STATE", `expected a state of ${machine.name}, got ${state}`);
  return node.type === "final";
}

/** First 16 bytes of SHA-256 over the canonical state and context. */
export function stateDigest({ state, context }: Instance): Uint8Array {
  return sha256(text.encode(encodeCanonical({ state, context }))).slice(0, 16);
}

const text = new TextEncoder();

type Action = Parameters<AnyActorScope["actionExecutor"]>[0];

/** What XState makes of a machine before the first event can come: the same each time, and more work than a step. */
interface Prepared {
  readonly scope: AnyActorScope;
  readonly initial: AnyMachineSnapshot;
  readonly states: Map<string, AnyMachineSnapshot>;
}

const prepared = new WeakMap<AnyStateMachine, Prepared>();

function prepare(logic: AnyStateMachine): Prepared {
  const known = prepared.get(logic);
  if (known !== undefined) return known;
  const self = createActor(logic);
  const nothing = (): void => {};
  const idle = { defer: nothing, logger: nothing, stopChild: nothing, emit: nothing, actionExecutor: nothing };
  const scope: AnyActorScope = { self, system: self.system, id: "", sessionId: "", ...idle };
  const made = { scope, initial: initialTransition(logic)[0], states: new Map() };
  prepared.set(logic, made);
  return made;
}

/** As XState's own `transition`, which makes an actor for each call. Nothing of a step stays in the scope. */
function transition(logic: AnyStateMachine, before: AnyMachineSnapshot, event: MachineEvent): [AnyMachineSnapshot, Action[]] {
  const actions: Action[] = [];
  const scope = { ...prepare(logic).scope, actionExecutor: (action: Action) => void actions.push(action) };
  return [logic.transition(before, event, scope), actions];
}

function restore({ logic }: MachineDefinition, current: Instance | undefined): AnyMachineSnapshot {
  const { initial, states } = prepare(logic);
  if (current === undefined) return initial;
  const { state, context } = current;
  const inState = states.get(state) ?? logic.resolveState({ value: state, context: {} });
  states.set(state, inState);
  return { ...inState, context } as AnyMachineSnapshot;
}

function stateName(value: unknown): string {
  if (typeof value !== "string") throw new MachineError("UNKNOWN_STATE", "expected a machine without nested states");
  return value;
}

function toEffect(machine: MachineDefinition, action: { type: string; params: unknown }): Effect {
  if (!isEffectType(action.type)) throw new MachineError("UNKNOWN_EFFECT", `${machine.name} asks for ${action.type}`);
  return { type: action.type, params: action.params ?? {} } as Effect;
}

function changed(before: Instance["context"], after: Instance["context"]): Record<string, Plain> {
  const change: Record<string, Plain> = {};
  for (const [name, value] of Object.entries(after)) {
    if (equalPlain(before[name], value)) continue;
    // The text of a change cannot say that a member is gone.
    if (value === undefined) throw new MachineError("NOT_CANONICAL", `expected ${name} to stay a value, got undefined`);
    change[name] = value;
  }
  return change;
}
