import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./errors.ts";
import type { SnapshotLog } from "./event-log.ts";
import { HeadFile } from "./head-file.ts";
import { SnapshotFiles } from "./snapshot-files.ts";
import { findStore, HEAD, SNAPSHOTS } from "./store-directory.ts";

const LOOKS_LIVE = 4;
const LOOK_AGAIN_MS = 25;

/** Something in a store that is not as it was written, and that opening bears because nothing depends on it. */
export interface BorneDamage {
  /** `HEAD_SLOT_DAMAGED`: one of two; a crash during a write leaves that. `SNAPSHOT_UNUSABLE`: it is derived anew. */
  readonly code: "HEAD_SLOT_DAMAGED" | "SNAPSHOT_UNUSABLE";
  readonly message: string;
  readonly place: Place;
}

/**
 * What an opening of a directory bears in silence; `log` is that open log.
 *
 * @param isLive whether its owner goes on writing: then what is being written is waited for, and what is newer than the
 * log is left alone
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_CLOSED`, a code of damage
 */
export async function findBorneDamage(directory: string, log: SnapshotLog, isLive = false): Promise<BorneDamage[]> {
  const { path } = await findStore(directory);
  const found: BorneDamage[] = [];
  if ((await damagedSlots(path, isLive ? LOOKS_LIVE : 1)) > 0) {
    const message = "expected two valid slots in HEAD, got one: a crash while it was written, or damage";
    found.push({ code: "HEAD_SLOT_DAMAGED", message, place: { file: HEAD } });
  }
  const files = new SnapshotFiles(join(path, SNAPSHOTS));
  const listed = await files.list();
  const usable = new Set<bigint>();
  for await (const { seq } of log.snapshots()) usable.add(seq);
  for (const seq of listed) {
    if (usable.has(seq)) continue;
    if (isLive && (seq > log.head().seq || (await files.get(seq)) === undefined)) continue;
    const message = `expected a snapshot of record ${seq} of this log, got one that does not fit; it is ignored`;
    found.push({ code: "SNAPSHOT_UNUSABLE", message, place: { file: SNAPSHOTS, seq } });
  }
  return found;
}

/** A slot that is damaged each time it is looked at; one that is being written is whole at another look. */
async function damagedSlots(path: string, looks: number): Promise<number> {
  for (let look = 1; ; look++) {
    try {
      const head = await HeadFile.open(join(path, HEAD), true);
      await head.close();
      if (head.damagedSlots === 0 || look >= looks) return head.damagedSlots;
    } catch (error) {
      if (look >= looks) throw error;
    }
    await sleep(LOOK_AGAIN_MS);
  }
}
