import { decodeTransition } from "../../../engine/transition.ts";
import { decodeCanonical, encodeCanonical, type Plain } from "../../../machines/canonical.ts";
import { schemaOf } from "../../../machines/event-schemas.ts";
import { machines } from "../../../machines/registry.ts";
import type { MachineDefinition, MachineEvent } from "../../../machines/step.ts";
import { Record as LogRecord } from "../../../proto/generated/log.ts";

/** A real record of a type in one of its schemas, with the event that it must be read to. */
export interface EventFixture {
  readonly machine: string;
  readonly type: string;
  readonly schema: number;
  /** The record's bytes. */
  readonly body: Uint8Array;
  readonly event: MachineEvent;
}

/** `machine type schema` of everything that this build reads. */
export function readableSchemas(among: readonly MachineDefinition[] = machines): string[] {
  return among.flatMap(({ name, events }) =>
    Object.keys(events).flatMap((type) =>
      Array.from({ length: schemaOf(events, type) }, (_, index) => `${name} ${type} ${index + 1}`),
    ),
  );
}

/** Which schema of which type it is, as {@link readableSchemas} names it. */
export function schemaName({ machine, type, schema }: EventFixture): string {
  return `${machine} ${type} ${schema}`;
}

/** The event that a fixture is read to today. */
export function readFixture({ body }: EventFixture, among: readonly MachineDefinition[] = machines): MachineEvent {
  return decodeTransition(LogRecord.decode(body), among).event;
}

/**
 * A fixture for every type among the records, the shortest of its kind; those of older schemas are kept, because logs
 * have such records for ever, and nothing writes them any more.
 */
export function fixturesOf(bodies: readonly Uint8Array[], older: readonly EventFixture[]): EventFixture[] {
  const found = new Map<string, EventFixture>();
  for (const body of bodies.toSorted((a, b) => a.length - b.length)) {
    const { machine, event, schema } = decodeTransition(LogRecord.decode(body));
    const fixture = { machine, type: event.type, schema, body, event };
    if (!found.has(schemaName(fixture))) found.set(schemaName(fixture), fixture);
  }
  for (const fixture of older) {
    if (!found.has(schemaName(fixture))) found.set(schemaName(fixture), { ...fixture, event: readFixture(fixture) });
  }
  const order = readableSchemas();
  return [...found.values()].sort((a, b) => order.indexOf(schemaName(a)) - order.indexOf(schemaName(b)));
}

/** What is written now in a schema with other members than the fixture's, and what to do about it; empty if nothing. */
export function eventComplaints(fixtures: readonly EventFixture[], bodies: readonly Uint8Array[]): string[] {
  const shapes = new Map(fixtures.map((fixture) => [schemaName(fixture), recordedShape(fixture.body)]));
  const complaints = new Map<string, string>();
  for (const body of bodies) {
    const { machine, type, schema } = LogRecord.decode(body);
    const [expected, got] = [shapes.get(`${machine} ${type} ${schema}`), recordedShape(body)];
    if (expected === undefined || expected === got) continue;
    complaints.set(
      `${machine} ${type}`,
      `event ${type} of ${machine} changed without a raised schema (expected ${expected}, got ${got}): add an upcaster to ` +
        `it in machines/${machine}.machine.ts, so that logs of before can be read`,
    );
  }
  return [...complaints.values()];
}

export function fixtureText(fixture: EventFixture): string {
  return encodeCanonical(fixture as unknown as Plain);
}

export function parseFixture(line: string): EventFixture {
  return decodeCanonical(line) as unknown as EventFixture;
}

/** The members of a recorded event with what each is. */
function recordedShape(body: Uint8Array): string {
  const members = decodeCanonical(new TextDecoder().decode(LogRecord.decode(body).event)) as { [name: string]: Plain };
  return `{${Object.entries(members).map(([name, value]) => `${name}: ${kindOf(value)}`)}}`;
}

function kindOf(value: Plain): string {
  if (value instanceof Uint8Array) return "bytes";
  return Array.isArray(value) ? "list" : typeof value;
}
