import { MachineError } from "./errors.ts";
import { type Instance, isFinished, type MachineDefinition, type Outcome, stateDigest } from "./step.ts";

/**
 * What brings an unfinished instance of an earlier revision to the machine's: each migration in turn. Pure.
 *
 * The change is the whole context, so that a migration can take members away. Effects are not asked for; those that
 * are open stay so.
 *
 * @throws MachineError `UNKNOWN_REVISION` if a migration is missing, `UNKNOWN_STATE` if they come to no state of the
 * machine, `MACHINE_FAULT` if one throws
 */
export function migrate(
  machine: MachineDefinition,
  instance: Instance,
  fromRevision: number,
): Extract<Outcome, { readonly kind: "taken" }> {
  let next: Instance = { state: instance.state, context: instance.context };
  for (let revision = fromRevision; revision < machine.revision; revision++) {
    next = migrateOnce(machine, next, revision);
  }
  isFinished(machine, next.state);
  return { kind: "taken", next, change: next.context, effects: [], digest: stateDigest(next) };
}

function migrateOnce({ name, migrations }: MachineDefinition, instance: Instance, revision: number): Instance {
  const migration = migrations?.[revision];
  if (migration === undefined) {
    const expected = `a migration of ${name} from revision ${revision} to ${revision + 1}`;
    throw new MachineError("UNKNOWN_REVISION", `expected ${expected}, got none`);
  }
  try {
    const { state, context } = migration(instance);
    return { state, context };
  } catch (cause) {
    throw new MachineError("MACHINE_FAULT", `${name} cannot be migrated from revision ${revision}`, cause);
  }
}
