import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lane, LaneRun } from "./lane.ts";
import { parseRecording, RECORDING_OPTIONS } from "./power-loss/recording.ts";
import { checkPromises, checkThatItGoesOn, promisesOf, readStore } from "./promises.ts";
import { Random } from "./random.ts";
import { withScratch } from "./scratch.ts";
import { builtProgram, requireStrace, runTraced } from "./strace.ts";

/** A system call before which the program is killed. */
interface Boundary {
  readonly name: string;
  readonly ordinal: number;
}

// With one thread for files, the calls of a run follow each other as those of any other run do.
const ONE_THREAD = { UV_THREADPOOL_SIZE: "1" };
/** Runs differ in a call or two; beyond that the kills do not come. */
const MISSES_MAX = 20;
const MISSED = "a first run that made fewer calls";
const SCENARIO = "kills/scenario.js";

/**
 * A program that creates, opens, writes and closes a log is killed before each system call that changes a file; every
 * second time the one that recovers is killed too. Afterwards the log is absent or ready, with all that was
 * acknowledged and nothing that was not attempted.
 */
export const kills: Lane = {
  name: "kills",
  unit: "kills",
  counts: { ci: 250, soak: 10_000, test: 4 },
  shards: 1,
  leastPercent: {},
  async run(run) {
    requireStrace();
    const { first, recovery } = await findBoundaries();
    run.add("boundaries", "creation, opening, commits, snapshots and closing", first.length);
    run.add("boundaries", "recovery", recovery.length);
    const [only, onlyAt] = run.path?.split(":").map(Number) ?? [];
    const isWhole = run.count >= first.length;
    const isEnough = (index: number) => run.done >= run.count && (!isWhole || index >= first.length);
    for (let index = only ?? 0; only === undefined ? !isEnough(index) : index === only; index++) {
      const random = new Random(run.seed, index + 1);
      // A short run takes any.
      const at = onlyAt ?? (isWhole ? index % first.length : random.below(first.length));
      run.at = `${index}:${at}`;
      const boundary = first[at];
      assert.ok(boundary !== undefined, `expected one of ${first.length} boundaries, got ${at}`);
      const missed = run.tally.outcome?.[MISSED] ?? 0;
      assert.ok(missed <= MISSES_MAX, `expected kills, got ${missed} runs that reached their end`);
      await killAndCheck(boundary, index % 2 === 0 ? undefined : random.pick(recovery), run);
    }
    const missed = run.tally.outcome?.[MISSED] ?? 0;
    if (isWhole) run.note(`killed before every call of the program at least once, but for ${missed} that a run did not make`);
  },
};

/** The calls that change files, of a first run and of one that recovers what a kill in mid-commit left. */
async function findBoundaries(): Promise<{ readonly first: readonly Boundary[]; readonly recovery: readonly Boundary[] }> {
  return withScratch(async (directory) => {
    const place = join(directory, "place");
    await mkdir(place);
    const first = await recordBoundaries(directory, place);
    const inCommit = first.findLast(({ name }) => name === "fdatasync");
    assert.ok(inCommit !== undefined);
    const other = join(directory, "other");
    await mkdir(other);
    await runTraced(killOptions(inCommit), builtProgram(SCENARIO), [join(other, "wallet")], ONE_THREAD);
    return { first, recovery: await recordBoundaries(directory, other) };
  });
}

async function recordBoundaries(directory: string, place: string): Promise<Boundary[]> {
  const file = join(directory, "trace");
  const options = [...RECORDING_OPTIONS, "-o", file];
  const { code, errors } = await runTraced(options, builtProgram(SCENARIO), [join(place, "wallet")], ONE_THREAD);
  assert.equal(code, 0, `the program failed: ${errors}`);
  const { operations } = parseRecording(await readFile(file, "utf8"), place);
  return operations
    .filter(({ call }) => call.kind !== "open" || (call.creates && call.path.startsWith(place)))
    .map(({ name, ordinal }) => ({ name, ordinal }));
}

function killOptions({ name, ordinal }: Boundary): string[] {
  return ["-o", "/dev/null", "-e", `trace=${name}`, "-e", `inject=${name}:signal=SIGKILL:when=${ordinal}`];
}

async function killAndCheck(first: Boundary, recovery: Boundary | undefined, run: LaneRun): Promise<void> {
  await withScratch(async (directory) => {
    const wallet = join(directory, "wallet");
    const said: string[] = [];
    for (const boundary of recovery === undefined ? [first] : [first, recovery]) {
      const { output, errors, signal } = await runTraced(killOptions(boundary), builtProgram(SCENARIO), [wallet], ONE_THREAD);
      assert.equal(errors, "", "the program failed by itself");
      const statements = output.split("\n").filter((line) => line !== "");
      said.push(...statements);
      if (signal !== "SIGKILL") {
        run.add("outcome", boundary === first ? MISSED : "a recovery that made fewer calls");
        continue;
      }
      run.done++;
      run.add("killed before", boundary.name);
      run.add("killed during", boundary === first ? phaseAfter(statements.at(-1)) : "recovery");
    }
    const outcome = await checkPromises(wallet, await readStore(wallet, run.done % 2 === 0), promisesOf(said));
    run.add("outcome", outcome);
    await checkThatItGoesOn(wallet);
  });
}

function phaseAfter(statement: string | undefined): string {
  if (statement === undefined) return "creation";
  if (statement === "created") return "opening";
  if (statement === "closing" || statement === "closed") return "closing";
  return statement.startsWith("attempt") ? "a commit" : "the end of a commit, or a snapshot";
}
