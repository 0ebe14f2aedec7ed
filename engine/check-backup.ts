import { BACKUP_CHECK_MS } from "../machines/backup.machine.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";
import { codeOf, HeartwoodError, messageOf } from "./errors.ts";
import { readBackupIds } from "./read-backup.ts";
import { BACKUP } from "./wallet-state.ts";

/** VTXOs that one record names. */
const NAMED_IDS = 256;

/**
 * Reads the recovery mailbox back, once a day: whoever knows the id of a VTXO can post it into another mailbox first, and
 * the owner's post then succeeds without effect (mailbox.md W-42). What is missing is told; it is not found again from the
 * seed alone, so the log needs a backup of its own.
 *
 * @throws the reason of `signal`
 */
export async function checkBackup(engine: Engine, session: ServerSession, signal: AbortSignal): Promise<void> {
  const { loop, clock, ports } = engine;
  const [oldest] = loop.pending.movements.values();
  const lastMs = Math.max(Number(loop.pending.contextOf(BACKUP)?.checkedAtMs ?? 0), oldest?.atMs ?? 0);
  // A time that is still to come was told by a clock that was put back since.
  if (loop.pending.coins.size === 0 || Math.abs(clock.nowMs() - lastMs) < BACKUP_CHECK_MS) return;
  try {
    // What is still to be posted cannot be there.
    const { coins, outbox } = loop.pending;
    const open = [...outbox.values()].flatMap(({ effect }) => (effect.type === "postRecoveryIds" ? effect.params.ids : []));
    const wanted = new Set(coins.keys());
    for (const id of open) wanted.delete(id);
    const { isWhole } = await readBackupIds(engine, session, signal, (id) => wanted.delete(id));
    signal.throwIfAborted();
    if (!isWhole) throw new HeartwoodError("MAILBOX_STUCK", "expected an end of the backup, got none that is sure");
    const missing = [...wanted].filter((id) => coins.has(id)).sort();
    if (missing.length > 0) ports.logger("warn", "VTXOs are missing in the backup at the server", { missing: missing.length });
    const event = { type: "backup.checked", missing: missing.length, missingIds: missing.slice(0, NAMED_IDS) };
    engine.feed({ instance: BACKUP, event });
  } catch (error) {
    signal.throwIfAborted();
    ports.logger("info", "the backup could not be read back", { code: codeOf(error), message: messageOf(error) });
  }
}
