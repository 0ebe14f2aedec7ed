// Opens a log in a process or worker thread of its own: node opener.mjs try|hold|offer|append DIRECTORY
// or creates logs below a directory without end, or one: node opener.mjs create|create-one DIRECTORY
import { writeSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { Record } from "../../dist/proto/generated/log.js";
import { createLevelLog, isStoreError, openLevelLog } from "../../dist/store/index.js";
import { logRoutes } from "../../dist/store/log-routes.js";
import { OwnerService } from "../../dist/store/owner-service.js";

const [mode, directory] = isMainThread ? process.argv.slice(2) : [workerData.mode, workerData.directory];

function say(value) {
  if (isMainThread) writeSync(1, `${JSON.stringify(value)}\n`);
  else parentPort.postMessage(value);
}

function body(seq, epoch) {
  // As recordBody() in helpers.ts.
  const event = new Uint8Array(20 + (Number(seq) % 7) * 90).map((_, i) => (Number(seq) * 131 + i * i * 7) & 0xff);
  return Record.encode(
    Record.fromPartial({ seq, epoch, machine: "test", instance: "test/1", type: `type-${seq}`, event }),
  ).finish();
}

/** Appends without end and says each position as soon as it is acknowledged. */
async function appendForever(log) {
  let seq = log.head().seq;
  const { epoch } = log.head();
  for (let round = 0; ; round++) {
    const appends = [];
    for (let call = 0; call <= round % 5; call++) {
      const bodies = Array.from({ length: 1 + (call % 3) }, (_, i) => body(seq + BigInt(i) + 1n, epoch));
      const last = seq + BigInt(bodies.length);
      appends.push(log.append({ epoch, expectedSeq: seq + 1n, bodies }).then(() => say({ seq: String(last) })));
      seq = last;
    }
    await Promise.all(appends);
  }
}

async function createForever() {
  for (let count = 1; ; count++) {
    await createLevelLog(join(directory, `wallet-${count}`));
    say({ seq: String(count) });
  }
}

try {
  if (mode === "create") await createForever();
  if (mode === "create-one") await createLevelLog(directory);
  const log = await openLevelLog(directory);
  say({ epoch: String(log.head().epoch) });
  if (mode === "append") await appendForever(log);
  if (mode === "offer") {
    await OwnerService.offer(directory, logRoutes(log));
    say({ seq: String(log.head().seq) });
    setInterval(() => undefined, 60_000);
    await new Promise(() => undefined);
  }
  if (mode === "hold") {
    const source = isMainThread ? process.stdin : parentPort;
    await new Promise((resolve) => {
      source.once(isMainThread ? "end" : "message", resolve);
      if (isMainThread) process.stdin.resume();
    });
    const { epoch, seq } = log.head();
    await log.append({ epoch, expectedSeq: seq + 1n, bodies: [body(seq + 1n, epoch)] });
  }
  await log.close();
} catch (error) {
  if (!isStoreError(error)) throw error;
  say({ code: error.code, holder: error.holder, message: error.message });
}
