import { type FileHandle, open, readFile } from "node:fs/promises";
import { errorCode } from "./errors.ts";

/** Mode of our own files: nobody but the user. */
export const FILE_MODE = 0o600;

/** Mode of our directories. */
export const DIRECTORY_MODE = 0o700;

/** Writes a new file so that it is durable, its directory entry apart. Fails if it exists. */
export async function writeNewFile(path: string, content: Uint8Array | string): Promise<void> {
  await withFile(path, "wx", async (file) => {
    await file.writeFile(content);
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
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
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
