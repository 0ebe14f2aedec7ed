// Creates a log if there is none, opens it, appends, takes a snapshot, closes: node scenario.js DIRECTORY
// Says on standard output, before each step, what it is about to do, and what was acknowledged as soon as it was.
import { writeSync } from "node:fs";
import { createLevelLog, isStoreError, openLevelLog, type SnapshotLog } from "../../../store/index.ts";
import { variedBody } from "../records.ts";

const [directory = ""] = process.argv.slice(2);
const STEPS = 4;

const log = await openOrCreate();
say("opened");
for (let step = 1; step <= STEPS; step++) {
  await Promise.all(Array.from({ length: step % 3 }, (_, at) => appendNext(log, 3n * BigInt(at))));
  await appendNext(log, 0n);
  if (step % 2 === 0) await log.saveSnapshot({ seq: log.head().seq, parts: [variedBody(log.head().seq, 0n)] });
}
say("closing");
await log.close();
say("closed");

async function openOrCreate(): Promise<SnapshotLog> {
  try {
    return await openLevelLog(directory);
  } catch (error) {
    if (!isStoreError(error, "STORE_NOT_FOUND")) throw error;
    await createLevelLog(directory);
    say("created");
    return openLevelLog(directory);
  }
}

/** Appends three records behind those that are being appended already. */
async function appendNext(open: SnapshotLog, behind: bigint): Promise<void> {
  const { epoch, seq } = open.head();
  const from = seq + behind;
  const bodies = [1n, 2n, 3n].map((number) => variedBody(from + number, epoch));
  say(`attempt ${from + 3n}`);
  await open.append({ epoch, expectedSeq: from + 1n, bodies });
  say(`acknowledged ${from + 3n}`);
}

function say(what: string): void {
  writeSync(1, `${what}\n`);
}
