import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { access, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "./bytes.ts";
import { errorCode } from "./errors.ts";
import { readIfPresent, removeIfPresent, writeNewFile } from "./files.ts";
import type { SealedMembers } from "./sealed-text.ts";

/** Says which directory one is: a copy of it is another one, a link to it or a new name is not. */
export interface DirectoryIdentity {
  /** Where it was, without symbolic links. */
  readonly path: string;
  /** Numbers of file system and directory, decimal. They may differ in another container, or through a network. */
  readonly device: string;
  readonly inode: string;
}

/** The identity of a directory that is there. */
export async function identityOf(directory: string): Promise<DirectoryIdentity> {
  const path = await realpath(directory);
  const { dev, ino } = await stat(path, { bigint: true });
  return { path, device: String(dev), inode: String(ino) };
}

/**
 * Whether a directory seems to be a copy of another one: that one is where it was, under the same numbers, and this one
 * has others. Touches nothing.
 */
export async function isCopy(directory: string, original: DirectoryIdentity): Promise<boolean> {
  const [here, there] = [await identityOf(directory), await identityOf(original.path).catch(() => undefined)];
  return there !== undefined && isSame(there, original) && !isSame(here, original);
}

/**
 * Whether what is written into a directory appears in another one: then both are the same, whatever their numbers say, as
 * under a mount that has its own. Says so too where that cannot be found out.
 */
export async function isSeenThere(directory: string, other: DirectoryIdentity): Promise<boolean> {
  const name = `OWNER.${toHex(randomBytes(16))}`;
  const path = join(directory, name);
  try {
    await writeNewFile(path, "");
    await access(join(other.path, name));
    return true;
  } catch (error) {
    return errorCode(error) !== "ENOENT" || (await readIfPresent(path)) === undefined;
  } finally {
    // On a read-only file system even that is refused; the answer stands.
    await removeIfPresent(path).catch(() => undefined);
  }
}

/** Members of a sealed text. A path may hold any character: it stands there in hex. */
export function encodeIdentity({ path, device, inode }: DirectoryIdentity): SealedMembers {
  return { path: Buffer.from(path, "utf8").toString("hex"), device, inode };
}

/** The identity in the members of a sealed text; undefined if there is none. */
export function decodeIdentity({ path, device, inode }: SealedMembers): DirectoryIdentity | undefined {
  if (path === undefined || device === undefined || inode === undefined) return undefined;
  return { path: Buffer.from(path, "hex").toString("utf8"), device, inode };
}

function isSame(one: DirectoryIdentity, other: DirectoryIdentity): boolean {
  return one.device === other.device && one.inode === other.inode;
}
