import type { SnapshotLog } from "../store/event-log.ts";
import type { Engine } from "./engine.ts";

/**
 * Reads what the opening after an unclean stop left unread, beside everything else. Damage stops the wallet: what it
 * restored from a snapshot cannot be shown to follow from its log any more.
 */
export async function verifyRest(log: SnapshotLog, engine: Engine): Promise<void> {
  const { ports, signal } = engine;
  try {
    for await (const _ of log.read({ to: log.unverifiedUpTo, signal }));
    ports.logger("info", "the older part of the log was verified", { records: log.unverifiedUpTo });
  } catch (error) {
    if (!signal.aborted) engine.loop.fail(error);
  }
}
