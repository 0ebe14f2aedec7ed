// Writes a log while its system calls are recorded: node writer.js DIRECTORY SEED SESSION
// Says on standard output, before each step, what it is about to do, and what was acknowledged as soon as it was.
import { writeSync } from "node:fs";
import { createLevelLog, openLevelLog, type SnapshotLog } from "../../../store/index.ts";
import { Random } from "../random.ts";
import { variedBody } from "../records.ts";

const [directory = "", seed = "0", session = "0"] = process.argv.slice(2);
const random = new Random(Number(seed), Number(session));
const STEPS = 12;

if (session === "0") {
  await createLevelLog(directory);
  say("created");
}
const log = await openLevelLog(directory);
say("opened");
for (let step = 0; step < STEPS; step++) await takeStep(log);
// Every other session ends as a killed process does.
if (random.oneIn(2)) await log.close();
process.exit(0);

/** One to four appends that do not wait for each other, or a snapshot. */
async function takeStep(open: SnapshotLog): Promise<void> {
  const { epoch, seq } = open.head();
  if (seq > 0n && random.oneIn(5)) return open.saveSnapshot({ seq, parts: [variedBody(seq, 0n)] });
  let last = seq;
  const appends: Promise<void>[] = [];
  for (let call = random.below(4); call >= 0; call--) {
    const bodies = Array.from({ length: 1 + random.below(4) }, (_, at) => variedBody(last + BigInt(at) + 1n, epoch));
    const from = last;
    last += BigInt(bodies.length);
    const acknowledged = last;
    say(`attempt ${acknowledged}`);
    appends.push(open.append({ epoch, expectedSeq: from + 1n, bodies }).then(() => say(`acknowledged ${acknowledged}`)));
    // Some appends share a commit, some begin while one is being written.
    if (random.oneIn(2)) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(appends);
}

function say(what: string): void {
  writeSync(1, `${what}\n`);
}
