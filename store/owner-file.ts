import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { link, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "./bytes.ts";
import { type DirectoryIdentity, decodeIdentity, encodeIdentity, identityOf, isCopy, isSeenThere } from "./directory-identity.ts";
import { StoreError } from "./errors.ts";
import { readIfPresent, removeIfPresent, succeeds, writeNewFile } from "./files.ts";
import { lockedBy } from "./lock-holder.ts";
import { currentProcess, isCertainlyGone, isOfThisMachine, type ProcessIdentity } from "./process-identity.ts";
import { decodeSealedText, encodeSealedText } from "./sealed-text.ts";

const TITLE = "heartwood owner 1";
const ATTEMPTS = 16;
/** Name of a file of an owner that was moved aside. */
const ASIDE = /^OWNER\.[^.]+\.[^.]+$/;

/** Content of the OWNER file (docs/log-format.md §6). */
export interface Owner extends ProcessIdentity {
  /** Random: tells two openings by one process apart. */
  readonly token: string;
  readonly since: string;
  readonly readOnly: boolean;
  readonly epoch: bigint;
  /** Which directory it has open; undefined in a file that does not tell. */
  readonly place: DirectoryIdentity | undefined;
}

/** Who had a directory before: somebody who is gone, or whoever has another one open of which this is a copy. */
type Before = Owner | "copied";

/**
 * The right to open the database of a directory, held by a file in it.
 *
 * LevelDB's lock is not enough: it vanishes when the process that holds it opens the database again or merely reads
 * the LOCK file. So it is tried only after this file says that no live process holds the directory.
 */
export class Ownership {
  readonly #directory: string;
  /** The file that stood there before; it stands there again after a look. */
  readonly #displaced: string | undefined;
  /** Who had the directory before and is gone without having given it free. */
  readonly gone: Owner | undefined;
  #owner: Owner;

  private constructor(directory: string, owner: Owner, displaced: string | undefined, before: Before | undefined) {
    this.#directory = directory;
    this.#owner = owner;
    this.#displaced = displaced;
    // Who had the directory that this one was copied from says nothing about how the copy was left.
    this.gone = before === "copied" ? undefined : before;
  }

  /**
   * Takes a directory that has no owner, or whose owner is certainly gone. For reading also a copy of a directory whose
   * owner lives: it has the other one open. A wallet in each of them would be two of one seed.
   *
   * @throws StoreError `STORE_LOCKED` with the holder
   */
  static async acquire(directory: string, readOnly: boolean): Promise<Ownership> {
    const token = toHex(randomBytes(16));
    const place = await identityOf(directory);
    const owner = { ...(await currentProcess()), token, since: new Date().toISOString(), readOnly, epoch: 0n, place };
    let displaced: string | undefined;
    let before: Before | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await readOwner(directory);
      if (!readOnly) await refuseUnfinishedLook(directory);
      if (found === undefined) {
        if (await putFile(directory, owner)) return new Ownership(directory, owner, displaced, before);
      } else {
        const isGone = await isCertainlyGone(found);
        if (!isGone && !(readOnly && (await isProvenCopy(directory, found)))) {
          throw lockedBy(found, await adviceOn(directory, found));
        }
        displaced = (await displaceOwner(directory, found, token)) ?? displaced;
        before = isGone ? found : "copied";
        // Looks that were killed say nothing about how the directory was left: who stood there before them does.
        while (before !== "copied" && before.readOnly) {
          const left = await takeOverLook(directory, before, token);
          if (left === undefined) break;
          if (displaced !== undefined) await removeIfPresent(displaced);
          displaced = left.path;
          before = (await isCertainlyGone(left.owner)) ? left.owner : "copied";
        }
      }
    }
    throw neverFree();
  }

  /**
   * Notes the epoch once the database is open, after a look whether the directory is still ours.
   *
   * @throws StoreError `STORE_LOCKED` if another process took it meanwhile
   */
  async confirm(epoch: bigint): Promise<void> {
    await this.#checkStillOurs();
    this.#owner = { ...this.#owner, epoch };
    const path = join(this.#directory, `OWNER.${this.#owner.token}`);
    try {
      await writeNewFile(path, encodeOwner(this.#owner));
      await rename(path, join(this.#directory, "OWNER"));
    } catch (error) {
      await removeIfPresent(path);
      throw error;
    }
    if (this.#displaced !== undefined && !this.#owner.readOnly) await removeIfPresent(this.#displaced);
  }

  async #checkStillOurs(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await readOwner(this.#directory);
      if (found?.token === this.#owner.token) return;
      if (found !== undefined) throw lockedBy(found);
      // Another process, which saw the owner before us, has moved our file aside and is about to find out.
      await putFile(this.#directory, this.#owner);
    }
    throw neverFree();
  }

  /**
   * Removes the file if it is still ours. After a look the one before stands there again: it says how the directory was
   * left, or that it is a copy, in which no wallet may be opened.
   */
  async release(): Promise<void> {
    const path = join(this.#directory, "OWNER");
    const isOurs = (await readOwner(this.#directory))?.token === this.#owner.token;
    if (!isOurs) return;
    if (this.#owner.readOnly && this.#displaced !== undefined) await rename(this.#displaced, path);
    else await removeIfPresent(path);
  }

  /** Gives way to an owner that looked gone and is not: its file is put back. */
  async yield(): Promise<void> {
    await this.release();
    if (this.#displaced === undefined || this.#owner.readOnly) return;
    await succeeds(link(this.#displaced, join(this.#directory, "OWNER")), "EEXIST");
    await removeIfPresent(this.#displaced);
  }
}

/**
 * A look at a copy that was killed leaves the file that says so moved aside: still no wallet may be opened in the copy.
 *
 * @throws StoreError `STORE_LOCKED` with the holder
 */
async function refuseUnfinishedLook(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const owner = ASIDE.test(name) ? await readOwnerFile(join(directory, name)) : undefined;
    if (owner === undefined || (await isCertainlyGone(owner)) || !(await isOfAnotherDirectory(directory, owner))) continue;
    throw lockedBy(owner, await adviceOn(directory, owner));
  }
}

/** Takes what a look that was killed had moved aside; undefined if there is nothing. */
async function takeOverLook(directory: string, look: Owner, token: string) {
  const name = (await readdir(directory)).find((file) => file.startsWith(`OWNER.${look.token}.`));
  const owner = name === undefined ? undefined : await readOwnerFile(join(directory, name));
  if (name === undefined || owner === undefined) return undefined;
  const path = join(directory, `OWNER.${token}.${owner.token}`);
  if (!(await succeeds(rename(join(directory, name), path), "ENOENT"))) return undefined;
  return { path, owner };
}

/** Puts the file there whole or not at all; false if another was first. */
async function putFile(directory: string, owner: Owner): Promise<boolean> {
  const path = join(directory, `OWNER.${owner.token}`);
  try {
    await writeNewFile(path, encodeOwner(owner));
    return await succeeds(link(path, join(directory, "OWNER")), "EEXIST");
  } finally {
    await removeIfPresent(path);
  }
}

/** Whether the owner that a directory's file names lives and has another directory open, of which this one is a copy. */
export async function isOfAnotherDirectory(directory: string, owner: Owner): Promise<boolean> {
  return owner.place !== undefined && (await isOfThisMachine(owner)) && (await isCopy(directory, owner.place));
}

async function isProvenCopy(directory: string, owner: Owner): Promise<boolean> {
  const { place } = owner;
  return place !== undefined && (await isOfAnotherDirectory(directory, owner)) && !(await isSeenThere(directory, place));
}

async function adviceOn(directory: string, owner: Owner): Promise<string> {
  if (!(await isOfThisMachine(owner))) return "; where it does not any more: heartwood log unlock";
  if (!(await isOfAnotherDirectory(directory, owner))) return "";
  return `; it has ${owner.place?.path} open, of which this one is a copy: that can be looked at, but not be another wallet beside it`;
}

/**
 * Moves the file of an owner that is gone aside, and says where; undefined if another process was first.
 *
 * @throws StoreError `STORE_LOCKED` if the directory has another owner by now, who keeps it
 */
export async function displaceOwner(directory: string, gone: Owner, token = toHex(randomBytes(16))): Promise<string | undefined> {
  const path = join(directory, "OWNER");
  const aside = join(directory, `OWNER.${token}.${gone.token}`);
  if (!(await succeeds(rename(path, aside), "ENOENT"))) return undefined;
  const moved = await readOwnerFile(aside);
  if (moved?.token === gone.token) return aside;
  // Between the look and the move a new owner came: it gets its file back.
  await succeeds(link(aside, path), "EEXIST");
  await removeIfPresent(aside);
  throw moved === undefined ? unknownHolder() : lockedBy(moved);
}

function encodeOwner(owner: Owner): string {
  return encodeSealedText(TITLE, {
    host: owner.host,
    boot: owner.bootId,
    pid: String(owner.pid),
    start: owner.startTime,
    since: owner.since,
    mode: owner.readOnly ? "read" : "write",
    epoch: String(owner.epoch),
    token: owner.token,
    ...(owner.place === undefined ? {} : encodeIdentity(owner.place)),
  });
}

/**
 * The owner of a directory, if it has one.
 *
 * @throws StoreError `STORE_LOCKED` if the file is damaged
 */
export async function readOwner(directory: string): Promise<Owner | undefined> {
  return readOwnerFile(join(directory, "OWNER"));
}

async function readOwnerFile(path: string): Promise<Owner | undefined> {
  const content = await readIfPresent(path);
  if (content === undefined) return undefined;
  const members = decodeSealedText(TITLE, Buffer.from(content).toString("utf8"));
  if (members === undefined) throw unknownHolder();
  const { host = "", boot = "", pid = "", start = "", since = "", mode, epoch = "0", token = "" } = members;
  return {
    host,
    bootId: boot,
    pid: Number(pid),
    startTime: start,
    since,
    readOnly: mode === "read",
    epoch: BigInt(epoch),
    token,
    place: decodeIdentity(members),
  };
}

function neverFree(): StoreError {
  return new StoreError("STORE_LOCKED", `expected to become the owner in ${ATTEMPTS} attempts, got others each time`, {
    place: { file: "OWNER" },
  });
}

function unknownHolder(): StoreError {
  return new StoreError(
    "STORE_LOCKED",
    "expected an OWNER file that names its holder, got a damaged one; remove it if no process uses the directory",
    { place: { file: "OWNER" } },
  );
}
