import { writeFile } from "node:fs/promises";
import { encodeTransition } from "../../engine/transition.ts";
import { encodeCanonical, type Plain } from "../../machines/canonical.ts";
import { schemaOf } from "../../machines/event-schemas.ts";
import { machineNamed, machines } from "../../machines/registry.ts";
import { type Instance, type MachineDefinition, type MachineEvent, type Outcome, step } from "../../machines/step.ts";
import { createMemoryLog, exportLines } from "../../store/index.ts";
import { samples } from "../machines/samples.ts";

/** One record of a walk. */
export interface WalkedStep {
  readonly machine: string;
  readonly instance: string;
  readonly event: MachineEvent;
  /** Null for the first of an instance. */
  readonly before: string | null;
  readonly outcome: Extract<Outcome, { kind: "taken" }>;
}

const BEGINNING_MS = 1_790_000_000_000;
const ENOUGH_INSTANCES = 250;

/** The steps of one instance by events that it takes. */
export function walk(machineName: string, instance: string, events: readonly MachineEvent[]): WalkedStep[] {
  const machine = machineNamed(machineName);
  let current: Instance | undefined;
  return events.map((sample) => {
    const event = { ...sample, atMs: BEGINNING_MS };
    const outcome = step(machine, current, event);
    if (outcome.kind === "unexpected") throw new Error(`expected an event that is taken, got ${event.type}`);
    const before = current?.state ?? null;
    current = outcome.next;
    return { machine: machineName, instance, event, before, outcome };
  });
}

/** Ways that lead to every state of every machine in which a record can leave an instance: one instance a state. */
export function walkEverywhere(): WalkedStep[] {
  return machines.flatMap((machine) => [...waysOf(machine).values()].flat());
}

/** The shortest way to each state, by state. */
function waysOf(machine: MachineDefinition): Map<string, WalkedStep[]> {
  const ways = new Map<string, WalkedStep[]>();
  const seen = new Set<string>();
  const queue: { readonly instance: Instance | undefined; readonly way: readonly WalkedStep[] }[] = [
    { instance: undefined, way: [] },
  ];
  for (let at = 0; at < queue.length && seen.size < ENOUGH_INSTANCES; at++) {
    const { instance, way = [] } = queue[at] ?? {};
    for (const sample of samples[machine.name] ?? []) {
      const event = { ...sample, atMs: BEGINNING_MS };
      const outcome = step(machine, instance, event);
      if (outcome.kind === "unexpected") continue;
      const key = encodeCanonical({ ...outcome.next } as Plain);
      if (seen.has(key)) continue;
      seen.add(key);
      const { state } = outcome.next;
      const taken = { machine: machine.name, instance: "", event, before: instance?.state ?? null, outcome };
      const longer = [...way, taken];
      queue.push({ instance: outcome.next, way: longer });
      if (!ways.has(state))
        ways.set(
          state,
          longer.map((one) => ({ ...one, instance: `${machine.name}/to-${state}` })),
        );
    }
  }
  return ways;
}

/** Writes steps as the log of a wallet, in an export file. */
export async function writeWalk(file: string, steps: readonly WalkedStep[]): Promise<void> {
  const memory = createMemoryLog();
  await using log = await memory.open();
  const versions = new Map<string, bigint>();
  for (const [index, { machine, instance, event, outcome }] of steps.entries()) {
    const seq = BigInt(index + 1);
    const version = (versions.get(instance) ?? 0n) + 1n;
    versions.set(instance, version);
    const { events, revision } = machineNamed(machine);
    const body = encodeTransition({
      ...{ seq, epoch: 1n, atMs: BEGINNING_MS + index * 1_000, machine, revision, instance, version, event },
      ...{ schema: schemaOf(events, event.type), blobs: [], causeSeq: 0n, effectId: "" },
      ...{ state: outcome.next.state, change: outcome.change, digest: outcome.digest },
      effects: outcome.effects.map((effect, at) => ({ ...effect, id: `${seq}.${at}` })),
    });
    await log.append({ epoch: 1n, expectedSeq: seq, bodies: [body] });
  }
  const lines: string[] = [];
  for await (const line of exportLines(log)) lines.push(line);
  await writeFile(file, lines.join(""));
}
