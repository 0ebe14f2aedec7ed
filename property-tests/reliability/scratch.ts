import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
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

// Synchronous here and wherever a lane makes or removes many small files: a thread for each costs more than the call.
/** Runs an action with a fresh directory. It goes afterwards, and stays where the action fails, to be looked at. */
export async function withScratch<T>(action: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(scratchRoot(), "heartwood-reliability-"));
  try {
    const result = await action(directory);
    rmSync(directory, { recursive: true, force: true });
    return result;
  } catch (error) {
    if (error instanceof Error) error.message += ` (kept in ${directory})`;
    throw error;
  }
}
