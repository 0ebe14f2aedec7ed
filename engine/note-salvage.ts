import type { EventLog } from "../store/event-log.ts";
import { migrationsDue } from "./migrations.ts";
import { notCreated } from "./open-on-log.ts";
import type { Ports } from "./ports.ts";
import { restore } from "./restore.ts";
import { RunLoop } from "./run-loop.ts";
import { SALVAGE, WALLET } from "./wallet-state.ts";

/** What a salvaged log must say of itself. */
export interface SalvageNote {
  /** The last record that was kept. */
  readonly keptSeq: bigint;
  /** The last record that the old log is known to have had, null where no loss is known. */
  readonly lostTo: bigint | null;
  /** Codes of the damage. */
  readonly damage: readonly string[];
  /** Keys that are passed over. */
  readonly keyGap: number;
}

/**
 * Appends to what was kept of a log that it was salvaged, so that whoever opens it knows, wherever the log is moved.
 *
 * @throws HeartwoodError `WALLET_NOT_CREATED`, `LOG_UNREADABLE`, `LOG_MISMATCH`, `MIGRATION_FAILED`; StoreError of the
 * append
 */
export async function noteSalvage(log: EventLog, note: SalvageNote, ports: Pick<Ports, "clock" | "randomness">): Promise<void> {
  const { state: committed } = await restore(log);
  if (committed.instances.get(WALLET) === undefined) throw notCreated();
  // A failure is told by the commit.
  const listener = { onCommitted() {}, onFailed() {} };
  const loop = new RunLoop({ log, committed, clock: ports.clock, randomness: ports.randomness, listener });
  const salvaged = { instance: SALVAGE, event: { type: "wallet.salvaged", ...note } };
  await loop.dispatch(...migrationsDue(committed), salvaged).committed;
}
