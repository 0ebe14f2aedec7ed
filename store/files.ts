import { type FileHandle, open, readFile, unlink } from "node:fs/promises";
import { errorCode } from "./errors.ts";

/** Mode of our own files: nobody but the user. */
export const FILE_MODE = 0o600;

/** Mode of our directories. */
export const DIRECTORY_MODE = 0o700;

/** Writes a new file so that it is durable, its directory entry apart. Fails if it exists. */
export async function writeNewFile(path: string, content: Uint8Array | string | Iterable<Uint8Array>): Promise<void> {
  const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  await withFile(path, "wx", async (file) => {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  });
}

/** Makes entries of a directory durable. Windows cannot; it does not need to. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  await withFile(path, "r", (directory) => directory.sync());
}

/** The content of a file, or undefined if there is none. */
export async function readIfPresent(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The first bytes of a file, fewer where it is shorter, or undefined if there is none. */
export async function readStart(path: string, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  let bytesRead = 0;
  const read = withFile(path, "r", async (file) => {
    ({ bytesRead } = await file.read(bytes, 0, length, 0));
  });
  return (await succeeds(read, "ENOENT")) ? bytes.subarray(0, bytesRead) : undefined;
}

/** Removes a file if it is there: one call, where `rm` with `force` makes three. */
export async function removeIfPresent(path: string): Promise<void> {
  await succeeds(unlink(path), "ENOENT");
}

/** Runs an action; says false instead of throwing where it fails with one of these codes. */
export async function succeeds(action: Promise<unknown>, ...expectedFailures: readonly string[]): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (expectedFailures.includes(errorCode(error) ?? "")) return false;
    throw error;
  }
}

async function withFile(path: string, flags: string, action: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, FILE_MODE);
  try {
    await action(file);
  } finally {
    await file.close();
  }
}
