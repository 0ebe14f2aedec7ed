import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";

/** Where directories for tests are made: in memory where the machine has such a place, since syncs are free there. */
export function scratchRoot(): string {
  try {
    accessSync(MEMORY, constants.W_OK);
    return MEMORY;
  } catch {
    return tmpdir();
  }
}

/** Runs an action with a fresh directory. It goes afterwards, and stays where the action fails, to be looked at. */
export async function withScratch<T>(action: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(scratchRoot(), "heartwood-reliability-"));
  try {
    const result = await action(directory);
    await rm(directory, { recursive: true, force: true });
    return result;
  } catch (error) {
    if (error instanceof Error) error.message += ` (kept in ${directory})`;
    throw error;
  }
}
