// Fills a small file system with a log, gives it room, and goes on: node full-disk.mjs MOUNTED_TMPFS
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Record } from "../../dist/proto/generated/log.js";
import { createLevelLog, openLevelLog } from "../../dist/store/index.js";

const [mountPoint] = process.argv.slice(2);
const directory = join(mountPoint, "wallet");

function body(seq, epoch) {
  return Record.encode(Record.fromPartial({ seq, epoch, type: "filler", event: randomBytes(3_000) })).finish();
}

/** Appends until it is refused; says the last position acknowledged and the two refusals. */
async function fill() {
  const log = await openLevelLog(directory);
  const { epoch, seq } = log.head();
  let acknowledged = seq;
  const next = () => log.append({ epoch, expectedSeq: acknowledged + 1n, bodies: [body(acknowledged + 1n, epoch)] });
  try {
    for (;;) {
      await next();
      acknowledged++;
    }
  } catch (error) {
    const after = await next().then(
      () => "success",
      (refused) => refused.code,
    );
    await log.close();
    return { acknowledged, failed: error.code, after };
  }
}

await createLevelLog(directory);
for (const sizeMiB of [5, 16, 40]) {
  const { acknowledged, failed, after } = await fill();
  execFileSync("mount", ["-o", `remount,size=${sizeMiB}m`, mountPoint]);
  const log = await openLevelLog(directory, { readOnly: true });
  console.log(JSON.stringify({ acknowledged: String(acknowledged), failed, after, found: String(log.head().seq) }));
  await log.close();
}
