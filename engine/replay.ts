import { equalBytes } from "../ark/bytes.ts";
import { equalPlain, type Plain } from "../machines/canonical.ts";
import type { Effect } from "../machines/effects.ts";
import { MIGRATED, schemaOf } from "../machines/event-schemas.ts";
import { migrate } from "../machines/migrate.ts";
import { machineNamed } from "../machines/registry.ts";
import { type Instance, isFinished, type MachineDefinition, type Outcome, stateDigest, step } from "../machines/step.ts";
import type { EventLog } from "../store/event-log.ts";
import { HeartwoodError } from "./errors.ts";
import { contextAfter, decodeTransition, type Transition } from "./transition.ts";
import type { LiveInstance } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/** How far a replay is. */
export interface ReplayProgress {
  readonly seq: bigint;
  readonly total: bigint;
}

/** Options of {@link replay}. */
export interface ReplayOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReplayProgress) => void;
}

const PROGRESS_EVERY = 1_000n;

/**
 * Folds what a state does not have yet of a log into it, and checks each record against the machine that wrote it.
 *
 * Outcomes are folded; today's code need not agree with yesterday's. Where it is the same revision, and the event was
 * recorded in today's schema, it must: the step is taken again and its digest compared (DESIGN §5). Of any other record
 * only the digest of what the fold comes to is compared, since an upcast event is not what the machine was given.
 *
 * @throws HeartwoodError `LOG_UNREADABLE` for a record of a newer build, `LOG_MISMATCH` if a step comes out otherwise;
 * StoreError for damage
 */
export async function replay(log: EventLog, state: WalletState, options: ReplayOptions = {}): Promise<void> {
  for await (const _ of replayed(log, state, options));
}

/** As {@link replay}, with a stop after each record. */
export async function* replayed(
  log: EventLog,
  state: WalletState,
  options: ReplayOptions = {},
): AsyncGenerator<Transition, void, undefined> {
  const total = log.head().seq;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  for await (const { record } of log.read({ from: state.seq + 1n, ...signal })) {
    const transition = decodeTransition(record, state.machines);
    checkStep(state, transition);
    state.apply(transition);
    if (transition.seq % PROGRESS_EVERY === 0n || transition.seq === total) {
      options.onProgress?.({ seq: transition.seq, total });
    }
    yield transition;
  }
}

/** What a check needs of the state before a record. */
export interface Before {
  readonly machines: readonly MachineDefinition[];
  readonly instances: ReadonlyMap<string, LiveInstance>;
  hasFinished(instance: string): boolean;
}

/**
 * Takes the step again on the state before it and compares.
 *
 * @returns whether it was taken again; else only the fold's digest was compared
 * @throws HeartwoodError `LOG_UNREADABLE`, `LOG_MISMATCH`
 */
export function checkStep(state: Before, transition: Transition): boolean {
  const { instance, machine: name, revision, seq } = transition;
  const machine = machineOf(state, transition);
  if (revision > machine.revision) {
    const known = `revision ${machine.revision} of ${name}`;
    throw new HeartwoodError("LOG_UNREADABLE", `record ${seq}: expected at most ${known}, got ${revision}; upgrade`, {
      place: { seq },
    });
  }
  const current = state.instances.get(instance);
  const version = (current?.version ?? 0n) + 1n;
  if (state.hasFinished(instance) || transition.version !== version) {
    throw mismatch(transition, `expected version ${version} of a live instance, got ${transition.version}`);
  }
  if (!continues(transition, current?.revision)) {
    throw mismatch(transition, `its revision ${revision} does not continue the instance's, ${current?.revision ?? "none"}`);
  }
  if (revision < machine.revision || transition.schema < schemaOf(machine.events, transition.event.type)) {
    const folded = { state: transition.state, context: contextAfter(current, transition) };
    if (!equalBytes(stateDigest(folded), transition.digest)) throw mismatch(transition, "the fold comes to another state");
    return false;
  }
  const outcome = retake(machine, current, transition);
  if (outcome.kind === "unexpected") throw mismatch(transition, "the machine does not take this event here");
  if (!equalBytes(outcome.digest, transition.digest)) throw mismatch(transition, "the machine comes to another state");
  // The fold takes the words of the record, not the digest: they must say the same.
  if (!says(transition, outcome)) {
    throw mismatch(transition, "the machine comes to another outcome");
  }
  return true;
}

/** Only a migration raises the revision of an instance, and from the one that it had. */
function continues({ event, revision }: Transition, before: number | undefined): boolean {
  if (event.type !== MIGRATED) return before === undefined || before === revision;
  return before !== undefined && before < revision && event.fromRevision === before;
}

function machineOf({ machines }: Before, { machine, state, revision, seq, event }: Transition): MachineDefinition {
  try {
    const found = machineNamed(machine, machines);
    isFinished(found, state, revision);
    return found;
  } catch (cause) {
    const place = `record ${seq} (${machine} ${event.type})`;
    throw new HeartwoodError("LOG_UNREADABLE", `${place}: expected a machine and a state of this build; upgrade`, {
      cause,
      place: { seq },
    });
  }
}

function retake(machine: MachineDefinition, current: Instance | undefined, transition: Transition): Outcome {
  try {
    const { event, atMs } = transition;
    if (current !== undefined && event.type === MIGRATED) return migrate(machine, current, Number(event.fromRevision));
    return step(machine, current, { ...event, atMs });
  } catch (cause) {
    throw mismatch(transition, "the machine cannot take this event here", cause);
  }
}

/** Whether a record has the words of an outcome. */
function says({ state, change, effects }: Transition, outcome: Extract<Outcome, { readonly kind: "taken" }>): boolean {
  return (
    state === outcome.next.state &&
    equalPlain(change, outcome.change) &&
    effects.length === outcome.effects.length &&
    effects.every(({ type, params }, index) => equalEffects({ type, params } as Effect, outcome.effects[index]))
  );
}

function equalEffects({ type, params }: Effect, other: Effect | undefined): boolean {
  return type === other?.type && equalPlain(params as Plain, other.params as Plain);
}

function mismatch({ seq, instance, event }: Transition, why: string, cause?: unknown): HeartwoodError {
  return new HeartwoodError("LOG_MISMATCH", `record ${seq} (${instance} ${event.type}): ${why}`, { cause, place: { seq } });
}
