import { equalBytes } from "../ark/bytes.ts";
import type { EventLog } from "../store/event-log.ts";
import { HeartwoodError } from "./errors.ts";
import { type ReplayOptions, replayed } from "./replay.ts";
import { canSnapshot } from "./restore.ts";
import { decodeState, digestOfParts, encodeState } from "./state-snapshot.ts";
import { WalletState } from "./wallet-state.ts";

/**
 * Replays a whole log and compares each snapshot that an opening would use with the state at its record.
 *
 * @throws HeartwoodError `LOG_MISMATCH` if a snapshot says otherwise; else as `replay`
 */
export async function replayAndCheckSnapshots(log: EventLog, options: ReplayOptions = {}): Promise<void> {
  const claims = await usableSnapshots(log);
  const state = new WalletState();
  for await (const { seq } of replayed(log, state, options)) {
    const claim = claims.get(seq);
    if (claim === undefined || equalBytes(claim, digestOfParts(encodeState(state)))) continue;
    throw new HeartwoodError(
      "LOG_MISMATCH",
      `snapshot of record ${seq}: expected the state that the log comes to, got another; delete the file in snapshots/`,
      { place: { seq } },
    );
  }
}

/** Digests of the snapshots by their record; those of another build are not used and count as none. */
async function usableSnapshots(log: EventLog): Promise<ReadonlyMap<bigint, Uint8Array>> {
  const found = new Map<bigint, Uint8Array>();
  if (!canSnapshot(log)) return found;
  for await (const snapshot of log.snapshots()) {
    if (decodeState(snapshot) !== undefined) found.set(snapshot.seq, digestOfParts(snapshot.parts));
  }
  return found;
}
