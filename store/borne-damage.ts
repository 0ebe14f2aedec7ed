import { join } from "node:path";
import type { Place } from "./errors.ts";
import type { SnapshotLog } from "./event-log.ts";
import { HeadFile } from "./head-file.ts";
import { SnapshotFiles } from "./snapshot-files.ts";
import { findStore, HEAD, SNAPSHOTS } from "./store-directory.ts";

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
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_CLOSED`, a code of damage
 */
export async function findBorneDamage(directory: string, log: SnapshotLog): Promise<BorneDamage[]> {
  const { path } = await findStore(directory);
  const found: BorneDamage[] = [];
  const head = await HeadFile.open(join(path, HEAD), true);
  await head.close();
  if (head.damagedSlots > 0) {
    const message = "expected two valid slots in HEAD, got one: a crash while it was written, or damage";
    found.push({ code: "HEAD_SLOT_DAMAGED", message, place: { file: HEAD } });
  }
  const usable = new Set<bigint>();
  for await (const { seq } of log.snapshots()) usable.add(seq);
  for (const seq of await new SnapshotFiles(join(path, SNAPSHOTS)).list()) {
    if (usable.has(seq)) continue;
    const message = `expected a snapshot of record ${seq} of this log, got one that does not fit; it is ignored`;
    found.push({ code: "SNAPSHOT_UNUSABLE", message, place: { file: SNAPSHOTS, seq } });
  }
  return found;
}
