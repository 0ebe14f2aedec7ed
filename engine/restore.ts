import { machines } from "../machines/registry.ts";
import type { MachineDefinition } from "../machines/step.ts";
import type { EventLog, SnapshotLog } from "../store/event-log.ts";
import { type ReplayOptions, replay } from "./replay.ts";
import { decodeState } from "./state-snapshot.ts";
import { WalletState } from "./wallet-state.ts";

/** What a log says, and how much of it did not have to be read for that. */
export interface Restored {
  readonly state: WalletState;
  /** The record of the snapshot that was used; 0 if none. */
  readonly snapshotSeq: bigint;
}

/**
 * The state of a log: its newest snapshot that fits, and the records after it. One that does not fit is passed over.
 *
 * @param among the machines of this build; a test may give others
 * @throws as `replay`
 */
export async function restore(
  log: EventLog,
  options: ReplayOptions = {},
  among: readonly MachineDefinition[] = machines,
): Promise<Restored> {
  const found = canSnapshot(log) ? await newestState(log, among) : undefined;
  const state = found ?? new WalletState(among);
  const snapshotSeq = state.seq;
  await replay(log, state, options);
  return { state, snapshotSeq };
}

/** Whether a log keeps snapshots; one of the owner's own need not. */
export function canSnapshot(log: EventLog): log is SnapshotLog {
  return "saveSnapshot" in log && "snapshots" in log;
}

async function newestState(log: SnapshotLog, among: readonly MachineDefinition[]): Promise<WalletState | undefined> {
  for await (const snapshot of log.snapshots()) {
    const state = decodeState(snapshot, among);
    if (state !== undefined) return state;
  }
  return undefined;
}
