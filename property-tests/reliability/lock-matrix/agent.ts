// Somebody in a process or worker thread of its own who does with a store what it is asked to.
import { isMainThread, parentPort } from "node:worker_threads";
import { Performer, type Request } from "./requests.ts";

const performer = new Performer();

async function answer(request: Request): Promise<void> {
  const given = await performer.perform(request);
  if (isMainThread) process.send?.(given);
  else parentPort?.postMessage(given);
}

if (isMainThread) process.on("message", (request: Request) => void answer(request));
else parentPort?.on("message", (request: Request) => void answer(request));
