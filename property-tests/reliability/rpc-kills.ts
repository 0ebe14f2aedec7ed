import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Heartwood, type WalletStatus } from "../../engine/index.ts";
import { type Simulator, startSimulator } from "../../simulator/index.ts";
import type { Lane, LaneRun } from "./lane.ts";
import { Random } from "./random.ts";
import type { Job, Said } from "./rpc-kills/job.ts";
import { goalOf, MNEMONIC, type Step, steps } from "./rpc-kills/steps.ts";
import { withScratch } from "./scratch.ts";
import { builtProgram } from "./strace.ts";

/** About as many boundaries as the scenario has. */
const BOUNDARIES = 300;
const PROCESS_MS = 120_000;
/** A step has more than so many: each has its kills. */
const MOST_SKIPPED = 20;

/**
 * A wallet on real gRPC and LevelDB lives through one long scenario and is killed before calls of the server and after their
 * answers: at each boundary of each step once, if as many kills are asked for. The next process goes on with what is on
 * disk, and comes where a wallet comes that nobody kills.
 */
export const rpcKills: Lane = {
  name: "rpc-kills",
  unit: "kills",
  counts: { ci: 30, soak: 10_000, test: 0 },
  shards: 1,
  leastPercent: {},
  async run(run) {
    for (let scenario = Number(run.path ?? 0); run.done < run.count; scenario++) {
      run.at = String(scenario);
      await withScratch((directory) => live(directory, new Random(run.seed, scenario), run));
      if (run.path !== undefined) return;
    }
  },
};

async function live(directory: string, random: Random, run: LaneRun): Promise<void> {
  await using simulator = await startSimulator({ seed: `kills ${run.seed}`, network: "regtest" });
  // A run of few kills takes them here and there.
  const mostSkipped = Math.min(MOST_SKIPPED, 2 * Math.max(0, Math.ceil(BOUNDARIES / run.count) - 1));
  let totalSats: number | null = 0;
  for (const step of steps) {
    const action = await step.begin(simulator);
    totalSats = step.sats === null || totalSats === null ? null : totalSats + step.sats;
    const place = join(directory, step.isRestore === true ? "restored" : "wallet");
    const job = {
      directory: place,
      serverUrl: simulator.serverUrl,
      chainUrl: simulator.chainUrl,
      mnemonic: MNEMONIC,
      isRestore: step.isRestore === true,
      action,
      goal: goalOf(simulator, totalSats, step.held),
    };
    await takeStep(step, job, () => random.below(mostSkipped + 1), run);
    const status = await Heartwood.read(place);
    totalSats = Number(status.balance.totalSats);
    checkMoney(status, simulator);
  }
}

/** One process after the other, until one reaches the goal of the step. */
async function takeStep(step: Step, job: Omit<Job, "passed" | "skip">, skip: () => number, run: LaneRun): Promise<void> {
  const passed: string[] = [];
  for (;;) {
    const said = await runProcess({ ...job, passed, skip: skip() }, step.name);
    for (const what of said) if ("passes" in what) passed.push(what.passes);
    const last = said.at(-1);
    if (last !== undefined && "reached" in last) return;
    assert.ok(last !== undefined && "diesAt" in last, `${step.name}: expected a kill or the goal, got ${JSON.stringify(last)}`);
    passed.push(last.diesAt);
    run.done++;
    const [method = "", , side = ""] = last.diesAt.split(" ");
    run.add("killed", side);
    run.add("call", method);
    run.add("step", step.name);
  }
}

async function runProcess(job: Job, step: string): Promise<Said[]> {
  const child = spawn(process.execPath, [builtProgram("rpc-kills/wallet-process.js"), JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PROCESS_MS,
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const [code, signal] = await once(child, "close");
  assert.notEqual(signal, "SIGTERM", `${step}: a process did not come to its goal in ${PROCESS_MS} ms: ${errors}${output}`);
  assert.ok(code === 0 || signal === "SIGKILL", `${step}: the process ended with ${code ?? signal}: ${errors}${output}`);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Said);
}

/** What the wallet has is what the server says that it has, and its books add up. */
function checkMoney({ balance, movements, vtxos }: WalletStatus, simulator: Simulator): void {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  assert.equal(sum(movements.map(({ effectiveBalanceSats }) => effectiveBalanceSats)), balance.totalSats);
  assert.equal(sum(vtxos.map(({ amountSats }) => amountSats)), balance.totalSats);
  for (const { id } of vtxos) assert.equal(simulator.vtxo(id)?.state, "spendable", `${id} is spendable at the server`);
  for (const { id } of vtxos) assert.ok(simulator.recoveryIds().includes(id), `${id} is backed up`);
}
