import { writeFile } from "node:fs/promises";
import { encodeTransition } from "../../engine/transition.ts";
import { decodeCanonical, encodeCanonical, type Plain } from "../../machines/canonical.ts";
import { schemaOf } from "../../machines/event-schemas.ts";
import { machineNamed, machines } from "../../machines/registry.ts";
import { type Instance, type MachineDefinition, type MachineEvent, type Outcome, step } from "../../machines/step.ts";
import { createMemoryLog, type EventLog, exportLines } from "../../store/index.ts";
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

/**
 * Ways that lead to every state of every machine in which a record can leave an instance: one instance a state. Each has
 * VTXOs of its own, and those that it needs come in first: so the books take the records, as a wallet's.
 */
export function walkEverywhere(): WalkedStep[] {
  const ways = machines.flatMap(({ name }) => [...waysOf(machineNamed(name))].map(([state, way]) => ({ name, state, way })));
  return ways.flatMap(({ name, state, way }, index) => {
    const events = way.map(({ event }) => withOwnIds(event, index));
    const steps = walk(name, `${name}/to-${state}`, events);
    return [...funding(steps, index), ...steps];
  });
}

const VTXO_ID = /[0-9a-f]{64}:[0-9]+/g;
const OWN_DIGITS = 8;
/** Entries that take VTXOs of the wallet. */
const TAKING: ReadonlySet<string> = new Set(["lockCoins", "spendCoins", "requireExit", "markExited"]);

/** The same event about other VTXOs. */
function withOwnIds(event: MachineEvent, way: number): MachineEvent {
  const own = way.toString(16).padStart(OWN_DIGITS, "0");
  return decodeCanonical(encodeCanonical(event).replace(VTXO_ID, (id) => own + id.slice(OWN_DIGITS))) as unknown as MachineEvent;
}

/** A package that brings what steps take from the wallet without having made it. */
function funding(steps: readonly WalkedStep[], way: number): WalkedStep[] {
  const made = new Set<string>();
  const taken = new Set<string>();
  for (const effect of steps.flatMap(({ outcome }) => outcome.effects)) {
    if (effect.type === "createCoins") for (const { id } of effect.params.coins) made.add(id);
    if (!TAKING.has(effect.type)) continue;
    for (const id of (effect.params as { readonly ids: readonly string[] }).ids) if (!made.has(id)) taken.add(id);
  }
  if (taken.size === 0) return [];
  const [checkpoint, digest] = [BigInt(way + 1), way.toString(16).padStart(64, "0")];
  const coin = { amountSats: 1_000n, expiryHeight: 5_000, exitDepth: 3, keyIndex: way, registered: true, flags: [] };
  const verdicts = [...taken].map((id, entry) => ({ kind: "accepted", vtxo: { ...coin, id, source: { digest, entry } } }));
  return walk("message", `message/${checkpoint}/${digest.slice(-32)}`, [
    {
      type: "message.received",
      checkpoint,
      digest,
      kind: "arkoor",
      entries: verdicts.length,
      notice: null,
      ahead: false,
      advance: true,
    },
    { type: "package.vetted", known: [], movement: `arkoor_receive.${checkpoint}`, verdicts },
  ]);
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
      if (!ways.has(state)) ways.set(state, longer);
    }
  }
  return ways;
}

/** Writes a log as an export file. */
export async function writeExport(file: string, log: EventLog): Promise<void> {
  const lines: string[] = [];
  for await (const line of exportLines(log)) lines.push(line);
  await writeFile(file, lines.join(""));
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
      ...{ seq, epoch: 1n, atMs: Number(event.atMs), machine, revision, instance, version, event },
      ...{ schema: schemaOf(events, event.type), blobs: [], causeSeq: 0n, effectId: "" },
      ...{ state: outcome.next.state, change: outcome.change, digest: outcome.digest },
      effects: outcome.effects.map((effect, at) => ({ ...effect, id: `${seq}.${at}` })),
    });
    await log.append({ epoch: 1n, expectedSeq: seq, bodies: [body] });
  }
  await writeExport(file, log);
}
