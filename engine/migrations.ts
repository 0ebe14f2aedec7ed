import { MIGRATED } from "../machines/event-schemas.ts";
import { migrate } from "../machines/migrate.ts";
import { machineNamed } from "../machines/registry.ts";
import { HeartwoodError, messageOf } from "./errors.ts";
import type { Dispatch } from "./run-loop.ts";
import type { LiveInstance } from "./wallet-rows.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * The events that bring every unfinished instance of an older revision to its machine's; each was tried, so that a
 * wallet is refused before anything is written to its log. Until they are recorded, no event may reach these instances.
 *
 * @throws HeartwoodError `MIGRATION_FAILED`
 */
export function migrationsDue({ instances, machines }: WalletState): Dispatch[] {
  const old = [...instances].filter(([, { machine, revision }]) => revision < machineNamed(machine, machines).revision);
  for (const [name, instance] of old) tryMigration(name, instance, machines);
  return old.map(([instance, { revision }]) => ({ instance, event: { type: MIGRATED, fromRevision: revision } }));
}

function tryMigration(name: string, instance: LiveInstance, machines: WalletState["machines"]): void {
  try {
    migrate(machineNamed(instance.machine, machines), instance, instance.revision);
  } catch (cause) {
    throw new HeartwoodError(
      "MIGRATION_FAILED",
      `${name} is not finished (${instance.state}) and of an older build, which this one cannot go on with: ` +
        `${messageOf(cause)}; finish it with the build that began it, or upgrade to one that can take it over`,
      { cause },
    );
  }
}
