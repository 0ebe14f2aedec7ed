import assert from "node:assert/strict";
import { createLevelLog, isStoreError, openLevelLog, type StoredRecord } from "../../store/index.ts";
import { appendRecords, checkRecords, collect, variedBody } from "./records.ts";

/** What a program that said `created`, `attempt N` and `acknowledged N` in its course has promised. */
export interface Promises {
  readonly isCreated: boolean;
  /** The last record that was acknowledged, 0 if none was. */
  readonly acknowledged: number;
  /** The last record that may be there. */
  readonly attempted: number;
}

/** The promises in what was said. */
export function promisesOf(statements: readonly string[]): Promises {
  const greatest = (word: string) =>
    statements.filter((text) => text.startsWith(word)).reduce((max, text) => Math.max(max, Number(text.slice(word.length))), 0);
  return {
    isCreated: statements.includes("created"),
    acknowledged: greatest("acknowledged "),
    attempted: greatest("attempt "),
  };
}

/** All records of a store, or the code with which it is refused. */
export async function readStore(directory: string, readOnly: boolean): Promise<string | readonly StoredRecord[]> {
  try {
    await using log = await openLevelLog(directory, { readOnly });
    return await collect(log.read());
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

/**
 * Asserts that what is found is what was promised: nothing where nothing was created, else a log with all that was
 * acknowledged and nothing that was not attempted.
 *
 * @returns `absent` or `ready`
 */
export async function checkPromises(
  directory: string,
  found: string | readonly StoredRecord[],
  { isCreated, acknowledged, attempted }: Promises,
): Promise<"absent" | "ready"> {
  if (found === "STORE_NOT_FOUND") {
    assert.ok(!isCreated, "a log that was created is not there");
    await createLevelLog(directory);
    return "absent";
  }
  if (typeof found === "string") throw new Error(`expected the log to open, got ${found}`);
  checkRecords(found, variedBody);
  assert.ok(found.length >= acknowledged, `expected ${acknowledged} acknowledged records, got ${found.length}`);
  assert.ok(found.length <= attempted, `expected at most the ${attempted} records attempted, got ${found.length}`);
  return "ready";
}

/** Asserts that a log can be written and then has one record more. */
export async function checkThatItGoesOn(directory: string, bodyOf = variedBody): Promise<void> {
  const log = await openLevelLog(directory);
  const { seq } = log.head();
  await appendRecords(log, 1, bodyOf);
  await log.close();
  const found = await readStore(directory, true);
  assert.ok(typeof found !== "string" && BigInt(found.length) === seq + 1n, "expected one record more");
  checkRecords(found, bodyOf);
}
