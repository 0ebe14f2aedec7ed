// A wallet on real gRPC and LevelDB that goes on until its goal is reached, or kills itself at a boundary of a call:
// node wallet-process.js JOB, a job of job.ts as JSON. Says on standard output, in lines, which boundaries it passes, at which
// it dies, and how it ended.
import { writeSync } from "node:fs";
import { type Clock, codeOf, esplora, Heartwood, type Wallet } from "../../../engine/index.ts";
import { watchedTransport } from "./boundaries.ts";
import { isReached, type Job, type Said } from "./job.ts";

/** So many times as fast as real time: waits are not what is tested. */
const SPEED = 500;
const LOOK_MS = 10;
/** Later calls of a method in one step are repetitions. */
const MOST_CALLS = 4;

const job = JSON.parse(process.argv[2] ?? "{}") as Job;
const passed = new Set(job.passed);
let left = job.skip;

const clock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs / SPEED);
    return () => clearTimeout(timer);
  },
};

const wallet = await Heartwood.open({
  directory: job.directory,
  mnemonic: () => job.mnemonic,
  server: job.serverUrl,
  chain: esplora(job.chainUrl, { retries: 0, tipCacheMs: 0 }),
  network: "regtest",
  create: true,
  ...(job.isRestore ? { restore: true } : {}),
  ports: { clock, transport: watchedTransport(onBoundary) },
});
wallet.start();
await act(wallet);
while (!isReached(wallet.status(), job.goal)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
await wallet.close();
say({ reached: true });
process.exit(0);

function onBoundary(name: string): void {
  const [, call = "0"] = name.split(" ");
  if (passed.has(name) || Number(call) > MOST_CALLS) return;
  passed.add(name);
  const dies = left-- <= 0;
  say(dies ? { diesAt: name } : { passes: name });
  if (dies) process.kill(process.pid, "SIGKILL");
}

/** What the owner asks for, unless a process before this one has it in its log. */
async function act(open: Wallet): Promise<void> {
  const { action } = job;
  if (action === null) return;
  const isBegun = open.movements().some(({ sentTo }) => sentTo.some(({ destination }) => destination === action.to));
  if (isBegun || open.payments().length > 0) return;
  while (open.status().connection !== "Live") await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  try {
    await (action.kind === "send" ? open.send(action.to, BigInt(action.sats)) : open.pay(action.to));
  } catch (error) {
    if (codeOf(error) === "INVOICE_PAID") return;
    say({ failed: codeOf(error) });
    process.exit(1);
  }
}

function say(what: Said): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}
