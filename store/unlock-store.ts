import { rm } from "node:fs/promises";
import { StoreError } from "./errors.ts";
import { type LockHolder, lockedBy } from "./lock-holder.ts";
import { displaceOwner, isOfAnotherDirectory, type Owner, readOwner } from "./owner-file.ts";
import { isCertainlyGone, isOfThisMachine } from "./process-identity.ts";
import { findStore } from "./store-directory.ts";

/** Who has a store open, as its OWNER file says. */
export interface StoreLock {
  readonly holder: LockHolder;
  /**
   * `here`: a process of this machine that lives. `gone`: one that is not to be seen any more; the next opening takes the
   * store over, or finds LevelDB's lock held where it lives in another container. `elsewhere`: one of another machine, of
   * which nothing can be known from here. `copied`: one that lives and has another directory open, of which this one is a
   * copy; this one can be looked at.
   */
  readonly state: "here" | "gone" | "elsewhere" | "copied";
}

/**
 * Looks who has a store open, touching nothing; undefined if nobody has.
 *
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_LOCKED` if the OWNER file is damaged, `STORE_BAD_MARKER`
 */
export async function readLock(directory: string): Promise<StoreLock | undefined> {
  const { path } = await findStore(directory);
  return (await lockOf(path))?.lock;
}

/**
 * Removes the lock of a process of another machine. Whoever calls this knows that it does not use the store any more:
 * two writers would destroy each other's work.
 *
 * @param host the host of the holder, as {@link readLock} told it: a lock that changed hands meanwhile stays
 * @returns the holder, or undefined if there was no lock, or one that the next opening takes over by itself
 * @throws StoreError `STORE_LOCKED` if the holder lives on this machine or its host is another; as {@link readLock}
 */
export async function unlockStore(directory: string, { host }: { readonly host: string }): Promise<LockHolder | undefined> {
  const { path } = await findStore(directory);
  const found = await lockOf(path);
  if (found === undefined || found.lock.state === "gone") return undefined;
  const { holder, state } = found.lock;
  if (state !== "elsewhere") throw lockedBy(holder);
  if (holder.host !== host) {
    throw new StoreError("STORE_LOCKED", `expected a lock of ${host}, got one of process ${holder.pid} on ${holder.host}`, {
      holder,
    });
  }
  const aside = await displaceOwner(path, found.owner);
  if (aside !== undefined) await rm(aside, { force: true });
  return holder;
}

async function lockOf(path: string) {
  const owner = await readOwner(path);
  if (owner === undefined) return undefined;
  const { host, pid, since, readOnly } = owner;
  return { owner, lock: { holder: { host, pid, since, readOnly }, state: await stateOf(path, owner) } satisfies StoreLock };
}

async function stateOf(path: string, owner: Owner): Promise<StoreLock["state"]> {
  if (await isCertainlyGone(owner)) return "gone";
  if (!(await isOfThisMachine(owner))) return "elsewhere";
  return (await isOfAnotherDirectory(path, owner)) ? "copied" : "here";
}
