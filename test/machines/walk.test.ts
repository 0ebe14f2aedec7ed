import { expect, test } from "vitest";
import type { AnyStateMachine } from "xstate";
import { encodeCanonical } from "../../machines/canonical.ts";
import { effectKinds } from "../../machines/effects.ts";
import { machines } from "../../machines/registry.ts";
import { type Instance, type MachineDefinition, type MachineEvent, step } from "../../machines/step.ts";
import { samples } from "./samples.ts";

const ENOUGH_INSTANCES = 250;

interface Walk {
  readonly states: ReadonlySet<string>;
  /** `State event #index` of each transition that was selected. */
  readonly transitions: ReadonlySet<string>;
  readonly effects: ReadonlySet<string>;
}

/** Goes everywhere that the samples lead, breadth first. */
function walk(machine: MachineDefinition): Walk {
  const found = { states: new Set<string>(), transitions: new Set<string>(), effects: new Set<string>() };
  const seen = new Set<string>();
  const queue: (Instance | undefined)[] = [undefined];
  for (let at = 0; at < queue.length && seen.size < ENOUGH_INSTANCES; at++) {
    const instance = queue[at];
    found.states.add(instance?.state ?? initialState(machine.logic));
    for (const sample of samples[machine.name] ?? []) {
      const event = { ...sample, atMs: 0 };
      const outcome = step(machine, instance, event);
      if (outcome.kind === "unexpected") continue;
      found.transitions.add(selected(machine.logic, instance, event));
      for (const { type } of outcome.effects) found.effects.add(type);
      const key = encodeCanonical({ ...outcome.next });
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(outcome.next);
    }
  }
  return found;
}

function selected(logic: AnyStateMachine, instance: Instance | undefined, event: MachineEvent): string {
  const snapshot = logic.resolveState({
    value: instance?.state ?? initialState(logic),
    context: instance?.context ?? logic.config.context,
  });
  const [chosen] = logic.getTransitionData(snapshot, event) ?? [];
  const index = chosen === undefined ? -1 : chosen.source.transitions.get(event.type)?.indexOf(chosen);
  return `${String(snapshot.value)} ${event.type} #${index}`;
}

function initialState(logic: AnyStateMachine): string {
  return String(logic.config.initial);
}

function everyTransition(logic: AnyStateMachine): string[] {
  return Object.values(logic.states).flatMap((node) =>
    [...node.transitions].flatMap(([type, list]) => list.map((_, index) => `${node.key} ${type} #${index}`)),
  );
}

test.each(machines.map((machine) => [machine.name, machine] as const))(
  "every state of %s is reached and every transition taken",
  (_, machine) => {
    const { states, transitions } = walk(machine);
    expect([...states].sort()).toEqual(Object.keys(machine.logic.states).sort());
    expect([...transitions].sort()).toEqual(everyTransition(machine.logic).sort());
  },
);

test("every effect that the engine knows is asked for by some machine", () => {
  const asked = machines.flatMap((machine) => [...walk(machine).effects]);
  expect([...new Set(asked)].sort()).toEqual(Object.keys(effectKinds).sort());
});

test("no machine waits, invokes or spawns by itself: a timer is a command that comes back as an event", () => {
  for (const { logic } of machines) {
    for (const node of Object.values(logic.states)) {
      expect([node.invoke.length, node.after.length, node.always?.length ?? 0], `${logic.id} ${node.key}`).toEqual([0, 0, 0]);
    }
  }
});
