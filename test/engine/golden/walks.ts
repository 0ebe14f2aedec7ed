import { decodeCanonical, encodeCanonical, type Plain } from "../../../machines/canonical.ts";
import type { Effect } from "../../../machines/effects.ts";
import { machines } from "../../../machines/registry.ts";
import { type Instance, type MachineDefinition, type MachineEvent, step } from "../../../machines/step.ts";
import { samples } from "../../machines/samples.ts";

const ENOUGH_INSTANCES = 250;

/** One pair of an instance and an event with what comes of it; `after` is null where the event is unexpected. */
interface WalkStep {
  readonly machine: string;
  readonly revision: number;
  readonly before: Instance | null;
  readonly event: MachineEvent;
  readonly after: { readonly state: string; readonly effects: readonly Effect[]; readonly digest: Uint8Array } | null;
}

/** Every kind of outcome of every sample event in every state that the samples lead to, a canonical text each. */
export function recordWalks(): string[] {
  return machines.flatMap((machine) => walk(machine).map((taken) => encodeCanonical(taken as unknown as Plain)));
}

/** What does not come out any more as recorded, and what to do about it; empty if nothing. */
export function walkComplaints(lines: readonly string[], known: readonly MachineDefinition[] = machines): string[] {
  const complaints = new Map<string, string>();
  for (const line of lines) {
    const recorded = decodeCanonical(line) as unknown as WalkStep;
    const machine = known.find(({ name }) => name === recorded.machine);
    // A raised revision is a new machine, whose walk is recorded anew.
    if (machine === undefined || machine.revision !== recorded.revision || complaints.has(machine.name)) continue;
    const [expected, got] = [textOf(recorded.after), outcomeText(machine, recorded)];
    if (got === expected) continue;
    const where = `${recorded.event.type} in ${recorded.before?.state ?? "the initial state"}`;
    complaints.set(machine.name, `${changedMachine(machine.name)} (${where}: expected ${expected}, got ${got})`);
  }
  return [...complaints.values()];
}

/** What to do about a machine that takes a recorded step otherwise. */
export function changedMachine(name: string): string {
  return (
    `machine ${name} changed without a raised revision: raise the revision of ${name} in machines/, so that logs of before ` +
    "are folded and not taken again, then run scripts/golden-log.mjs; or, while no release has written a log, run it with " +
    "--same-revision"
  );
}

/** The first step of each kind: by state, event, next state and effects with all that they say. */
function walk(machine: MachineDefinition): WalkStep[] {
  const steps = new Map<string, WalkStep>();
  const seen = new Set<string>();
  const queue: (Instance | null)[] = [null];
  for (let at = 0; at < queue.length && seen.size < ENOUGH_INSTANCES; at++) {
    const before = queue[at] ?? null;
    for (const [index, sample] of (samples[machine.name] ?? []).entries()) {
      const event = { ...sample, atMs: 1_000 };
      const after = take(machine, before, event);
      const effects = encodeCanonical((after?.effects ?? []) as unknown as Plain);
      const kind = [before?.state, index, after?.state, effects].join(" ");
      const { name, revision } = machine;
      if (!steps.has(kind)) steps.set(kind, { machine: name, revision, before, event, after: after && recordedPart(after) });
      const key = after && textOf(after);
      if (after === null || key === null || seen.has(key)) continue;
      seen.add(key);
      queue.push(after.next);
    }
  }
  return [...steps.values()];
}

function take(machine: MachineDefinition, before: Instance | null, event: MachineEvent) {
  const outcome = step(machine, before ?? undefined, event);
  return outcome.kind === "unexpected" ? null : { ...outcome, state: outcome.next.state };
}

function recordedPart({ state, effects, digest }: NonNullable<WalkStep["after"]>) {
  return { state, effects, digest };
}

function outcomeText(machine: MachineDefinition, { before, event }: WalkStep): string {
  try {
    return textOf(take(machine, before, event));
  } catch (error) {
    return `a failure: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function textOf(after: WalkStep["after"]): string {
  return after === null ? "nothing" : encodeCanonical(recordedPart(after) as unknown as Plain);
}
