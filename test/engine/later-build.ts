import { createMachine } from "xstate";
import { machineNamed, machines } from "../../machines/registry.ts";
import type { MachineDefinition, Migration } from "../../machines/step.ts";

/** The same machine with another name for one of its states. */
function renamed({ logic }: MachineDefinition, was: string, is: string): MachineDefinition["logic"] {
  const name = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(name);
    if (typeof value !== "object" || value === null) return value === was ? is : value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key === was ? is : key, name(member)]));
  };
  return createMachine(name(logic.config) as never, logic.implementations as never);
}

/** A halted message is vetted anew, without the code of its halt and with a member more. */
export const migrateMessage: Migration = ({ state, context: { haltCode: _, ...context } }) => ({
  state: state === "Halted" ? "Vetting" : state,
  context: { ...context, seen: 2n },
});
const migrateItem: Migration = ({ state, context }) => ({ state, context: { ...context, label: "kept" } });
const migrateConnection: Migration = ({ state, context }) => ({ state: state === "BackingOff" ? "Resting" : state, context });

/** Machines of which some are a revision further. */
export function next(changes: { readonly [machine: string]: Partial<MachineDefinition> }, among = machines): MachineDefinition[] {
  return among.map((machine) => {
    const change = changes[machine.name];
    return change === undefined ? machine : { ...machine, revision: machine.revision + 1, ...change };
  });
}

/** The machines of a build in which three of them are a revision further. */
export const later = next({
  message: { migrations: { 1: migrateMessage } },
  quarantined: { migrations: { 1: migrateItem } },
  connection: {
    logic: renamed(machineNamed("connection"), "BackingOff", "Resting"),
    retiredStates: { BackingOff: "unfinished" },
    migrations: { 1: migrateConnection },
  },
});
