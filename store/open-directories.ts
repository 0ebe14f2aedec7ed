import { hostname } from "node:os";
import { type LockHolder, lockedBy } from "./lock-holder.ts";

// Shared by all copies of this module in one thread; other threads are kept out by the OWNER file.
const KEY = Symbol.for("heartwood.store.open-directories");

/**
 * Notes that this process has a directory open, until the returned function is called. A second open must never reach
 * LevelDB: being refused there would drop the lock of the first.
 *
 * @throws StoreError `STORE_LOCKED`
 */
export function reserveDirectory(realPath: string, readOnly: boolean): () => void {
  const open = openDirectories();
  const holder = open.get(realPath);
  if (holder !== undefined) throw lockedBy(holder);
  open.set(realPath, { host: hostname(), pid: process.pid, since: new Date().toISOString(), readOnly });
  return () => {
    open.delete(realPath);
  };
}

function openDirectories(): Map<string, LockHolder> {
  const shared = globalThis as { [KEY]?: Map<string, LockHolder> };
  shared[KEY] ??= new Map();
  return shared[KEY];
}
