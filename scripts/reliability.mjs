// npm run reliability -- --ci | --soak [--lane NAME] [--seed N] [--path P] [--scale X] [--processes N]: the lanes of
// property-tests/reliability/, two processes at a time. Replays a failure with the lane, seed and path that it printed.
// --list says which lanes there are.
import { fork } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt, ensureInstalled, root } from "./ensure.mjs";

const { values } = parseArgs({
  options: {
    ci: { type: "boolean" },
    soak: { type: "boolean" },
    lane: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    scale: { type: "string", default: "1" },
    processes: { type: "string", default: "2" },
    list: { type: "boolean" },
  },
});
ensureInstalled();
ensureBuilt();
const built = join(root, "dist", "property-tests", "reliability");
const { lanes, rareClasses, scratchRoot } = await import(join(built, "lanes.js"));

const names = lanes.map(({ name }) => name);
if (values.list) {
  console.log(names.join("\n"));
  process.exit(0);
}
if (values.lane !== undefined && !names.includes(values.lane)) {
  refuse(`expected one of ${names.join(", ")}, got ${values.lane}`);
}
if (values.path === undefined ? values.ci === values.soak : values.lane === undefined || values.seed === undefined) {
  refuse("usage: npm run reliability -- --ci | --soak [--lane NAME] [--seed N] [--scale X] | --lane NAME --seed N --path P");
}
const processes = Number(values.processes);
if (!(processes >= 1)) refuse(`expected --processes to be 1 or more, got ${values.processes}`);
const figure = values.soak ? "soak" : "ci";
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed);
if (!Number.isSafeInteger(seed) || !(Number(values.scale) > 0)) refuse("expected --seed and --scale to be numbers");

let passed = 0;
let failed = 0;
let skipped = 0;
console.log(`directories are made in ${scratchRoot()}`);
const wanted = lanes.filter(({ name }) => values.lane === undefined || name === values.lane);
const tasks = wanted.flatMap(tasksOf);
await Promise.all(Array.from({ length: processes }, work));
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || (skipped > 0 && !values.soak) ? 1 : 0);

/** The processes of a lane, each with a part of the cases and a seed of its own. */
function tasksOf(lane) {
  if (values.path !== undefined) return [{ lane, options: { seed, count: 1, path: values.path }, done: report(lane, 1) }];
  const total = Math.ceil(lane.counts[figure] * Number(values.scale));
  const shards = Math.min(lane.shards, processes);
  const done = report(lane, shards);
  return Array.from({ length: shards }, (_, shard) => {
    const count = Math.floor(total / shards) + (shard < total % shards ? 1 : 0);
    return { lane, options: { seed: seed + shard, count }, done };
  });
}

async function work() {
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task.done(await runTask(task));
}

/** Runs one process to its end. */
function runTask({ lane, options }) {
  const started = performance.now();
  const child = fork(join(built, "run-lane.js"), [lane.name, JSON.stringify(options)], { stdio: "inherit" });
  let at;
  let result;
  child.on("message", (message) => {
    at = message.at ?? at;
    result = message.result ?? result;
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      const seconds = (performance.now() - started) / 1_000;
      const failure = { message: `the process ended with ${signal ?? `exit code ${code}`}`, refused: false };
      resolve({ seconds, seed: options.seed, ...(result ?? { tally: {}, notes: [], at, done: 0, failure }) });
    });
  });
}

/** Collects the results of a lane's processes; says what came out once all have ended. */
function report(lane, processes) {
  const results = [];
  return (result) => {
    results.push(result);
    if (results.length < processes) return;
    const tally = {};
    for (const part of results) {
      for (const [group, counts] of Object.entries(part.tally)) {
        tally[group] ??= {};
        for (const [name, count] of Object.entries(counts)) tally[group][name] = (tally[group][name] ?? 0) + count;
      }
    }
    conclude(lane, results, tally);
  };
}

function conclude(lane, results, tally) {
  const failures = results.filter(({ failure }) => failure !== undefined);
  const rare = failures.length > 0 ? [] : rareClasses(lane, tally);
  const seconds = Math.max(...results.map((result) => result.seconds));
  const total = results.reduce((sum, { done }) => sum + done, 0);
  const isRefused = failures.length > 0 && failures.every(({ failure }) => failure.refused);
  const waived = isRefused && values.soak;
  const verdict = waived ? "skipped" : failures.length + rare.length > 0 ? "FAILED" : "passed";
  console.log(`\n${lane.name}: ${verdict}, ${total} ${lane.unit}, seed ${seed}, ${seconds.toFixed(1)} s`);
  for (const [group, counts] of Object.entries(tally)) {
    const shown = Object.entries(counts).sort(([, a], [, b]) => b - a);
    console.log(`  ${group}: ${shown.map(([name, count]) => `${name} ${count}`).join(", ")}`);
  }
  for (const note of new Set(results.flatMap(({ notes }) => notes))) console.log(`  ${note}`);
  for (const line of rare) console.log(`  too rare: ${line}`);
  for (const { seed: its, at, failure } of failures) {
    if (failure.refused)
      console.log(`  ${waived ? "waived in a soak run: " : ""}this machine refuses the lane: ${failure.message}`);
    else console.log(`  ${failure.message}\n  again: npm run reliability -- --lane ${lane.name} --seed ${its} --path ${at}`);
  }
  if (waived) skipped++;
  else if (verdict === "FAILED") failed++;
  else passed++;
}

function refuse(message) {
  process.stderr.write(`reliability: ${message}\n`);
  process.exit(2);
}
