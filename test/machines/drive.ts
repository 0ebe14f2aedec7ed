import { expect, test } from "vitest";
import { encodeCanonical, type Plain } from "../../machines/canonical.ts";
import { type Instance, type MachineDefinition, type MachineEvent, type Outcome, step } from "../../machines/step.ts";

/** An instance after events that it takes, from its beginning. */
export function given(machine: MachineDefinition, ...events: readonly MachineEvent[]): Instance | undefined {
  let instance: Instance | undefined;
  for (const event of events) instance = taken(step(machine, instance, event)).next;
  return instance;
}

/** The outcome of an event that is taken; fails if it is unexpected. */
export function taken(outcome: Outcome): Extract<Outcome, { kind: "taken" }> {
  if (outcome.kind !== "taken") throw new Error("expected an event that is taken, got an unexpected one");
  return outcome;
}

/** Next state and effects by state and event, as `Next: effect, effect`; what is missing is unexpected. */
export type Table = { readonly [state: string]: { readonly [event: string]: string } };

/**
 * One test for each pair of a state and an event: it comes out as the table says, and changes nothing where the table is
 * silent.
 */
export function testTable(
  machine: MachineDefinition,
  states: { readonly [name: string]: Instance | undefined },
  events: { readonly [name: string]: MachineEvent },
  table: Table,
): void {
  expectNames(table, states, events);
  for (const [state, instance] of Object.entries(states)) {
    for (const [name, event] of Object.entries(events)) {
      const expected = table[state]?.[name];
      const claim = expected === undefined ? `does not take ${name}` : `takes ${name} to ${expected}`;
      test(`${machine.name} in ${state} ${claim}`, () => {
        const before = encodeCanonical((instance ?? null) as Plain);
        const outcome = step(machine, instance, event);
        expect(said(outcome)).toBe(expected ?? "unexpected");
        expect(encodeCanonical((instance ?? null) as Plain)).toBe(before);
      });
    }
  }
}

function said(outcome: Outcome): string {
  if (outcome.kind === "unexpected") return outcome.kind;
  const effects = outcome.effects.map(({ type }) => type);
  return effects.length === 0 ? outcome.next.state : `${outcome.next.state}: ${effects.join(", ")}`;
}

/** A row for nothing would claim nothing. */
function expectNames(table: Table, states: object, events: object): void {
  for (const [state, row] of Object.entries(table)) {
    for (const name of [state, ...Object.keys(row)]) {
      if (!(name in states) && !(name in events)) throw new Error(`expected a state or an event of the test, got ${name}`);
    }
  }
}
