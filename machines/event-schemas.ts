import type { Plain } from "./canonical.ts";
import { MachineError } from "./errors.ts";

/** Members of an event, without its type. */
export type EventMembers = { readonly [name: string]: Plain };

/** Makes the members of one schema those of the next. Pure: it is run whenever the record is read. */
export type Upcaster = (members: EventMembers) => EventMembers;

/**
 * Every event type that a machine's records may have, with the upcasters from schema 1 to 2, 2 to 3, …: an event whose
 * members never changed has none. So the current schema is one more than their number, and no schema can be raised
 * without a way to read the ones before. An entry is never taken away, because logs keep their records.
 */
export type EventSchemas<Type extends string = string> = { readonly [T in Type]: readonly Upcaster[] };

/** Type of the record that brings an unfinished instance of an older revision to its machine's (`migrate.ts`). */
export const MIGRATED = "instance.migrated";

/** Events that any machine's records may have. */
const common: EventSchemas = { [MIGRATED]: [] };

/**
 * The schema in which this build writes events of that type.
 *
 * @throws MachineError `UNKNOWN_EVENT`
 */
export function schemaOf(schemas: EventSchemas, type: string): number {
  return upcastersOf(schemas, type).length + 1;
}

/**
 * The members of a recorded event in the current schema.
 *
 * @throws MachineError `UNKNOWN_EVENT`, `UNKNOWN_SCHEMA` for one of a newer build, or what an upcaster throws
 */
export function upcast(schemas: EventSchemas, type: string, schema: number, members: EventMembers): EventMembers {
  const upcasters = upcastersOf(schemas, type);
  const current = upcasters.length + 1;
  if (schema < 1 || schema > current) {
    throw new MachineError("UNKNOWN_SCHEMA", `expected schema 1 to ${current} of ${type}, got ${schema}`);
  }
  return upcasters.slice(schema - 1).reduce((older, next) => next(older), members);
}

function upcastersOf(schemas: EventSchemas, type: string): readonly Upcaster[] {
  const table = Object.hasOwn(common, type) ? common : schemas;
  const upcasters = Object.hasOwn(table, type) ? table[type] : undefined;
  if (upcasters === undefined) throw new MachineError("UNKNOWN_EVENT", `expected an event of this build, got ${type}`);
  return upcasters;
}
