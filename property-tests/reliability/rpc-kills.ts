import assert from "node:assert/strict";
import type { Lane, LaneRun } from "./lane.ts";
import { Random } from "./random.ts";
import type { Account, Reached } from "./rpc-kills/job.ts";
import { liveScenario } from "./rpc-kills/life.ts";
import { steps } from "./rpc-kills/steps.ts";
import { bundleProgram } from "./rpc-kills/wallet-program.ts";
import { withScratch } from "./scratch.ts";

/** A boundary that so many lives in a row did not come to is one that the scenario does not have. */
const MOST_TRIES = 5;
/** Seeds that are restored in one life, each with a death. */
const RESTORES = 6;
/** Boundaries of a process that goes on after a death, at about which it may die too. */
const LATER = 12;

/**
 * A wallet on real gRPC and LevelDB lives through one long scenario. A first life has no death and tells which boundaries
 * there are: each call of the server in each step, before it is sent and after its answer came. Then life after life is
 * lived in which each step has one death, at a boundary where no life before had one, until so many are killed as are
 * asked for, or all. Whoever goes on comes in each step to where nobody is killed comes.
 *
 * `npm run reliability -- --ci --lane rpc-kills --scale 12` kills at all of them.
 */
export const rpcKills: Lane = {
  name: "rpc-kills",
  unit: "kills",
  counts: { ci: 40, soak: 10_000, test: 0 },
  shards: 1,
  leastPercent: {},
  async run(run) {
    await bundleProgram();
    if (run.path !== undefined) return replay(run.path, run);
    for (let [round, all] = [0, 0]; round === 0 || run.count - run.done >= all; round++) {
      all = await liveRound(new Random(run.seed, round), run);
    }
  },
};

/**
 * Kills at each boundary once, in an order that is drawn; fewer where fewer are asked for.
 *
 * @returns how many boundaries there are
 */
async function liveRound(random: Random, run: LaneRun): Promise<number> {
  const undisturbed = await liveUndisturbed(run);
  const left = undisturbed.map(({ boundaries }) => shuffled(boundaries, random));
  const all = count(left);
  const tries = new Map<string, number>();
  const before = run.done;
  const wanted = Math.min(run.count, before + all);
  while (run.done < wanted && count(left) > 0) {
    const targets = left.map((boundaries, step) => boundaries.splice(0, steps[step]?.isRestore ? RESTORES : 1));
    const missed = await liveOnce(targets, undisturbed, run, () => (random.oneIn(3) ? random.below(LATER) : null));
    for (const [step, boundaries] of missed.entries()) {
      for (const boundary of boundaries) {
        const name = `${boundary} of "${steps[step]?.name}"`;
        tries.set(name, (tries.get(name) ?? 0) + 1);
        assert.ok(Number(tries.get(name)) < MOST_TRIES, `no life came to ${name} again`);
        left[step]?.push(boundary);
        run.add("also", "boundaries to which a life did not come, and another one did");
      }
    }
  }
  run.note(`killed ${run.done - before} of ${all} boundaries of ${steps.length} steps`);
  return all;
}

/** @returns how each step comes out where nobody is killed */
async function liveUndisturbed(run: LaneRun): Promise<Reached[]> {
  const came: Reached[] = [];
  await withScratch((directory) =>
    liveScenario(directory, run.seed, {
      deathsIn: () => [null],
      nextDeath: () => null,
      onDeath: () => assert.fail("nobody dies here"),
      onReached: (_, reached) => came.push(reached),
    }),
  );
  return came;
}

/** @returns at which of the targets, by step, nobody died, because no process came there */
async function liveOnce(
  targets: readonly (readonly string[])[],
  undisturbed: readonly Reached[],
  run: LaneRun,
  nextDeath: () => number | null,
): Promise<readonly (readonly string[])[]> {
  const missed = targets.map((boundaries) => [...boundaries]);
  const last = targets.findLastIndex(({ length }) => length > 0);
  const deaths: string[] = [];
  const lived = withScratch((directory) =>
    liveScenario(directory, run.seed, {
      deathsIn: (step) => (step > last ? [] : targets[step]?.length ? targets[step] : [null]),
      nextDeath,
      onDeath(step, boundary, isAgain) {
        deaths.push(`${step}/${boundary}`);
        if (!isAgain) {
          run.at = `${step}/${boundary}`;
          missed[step]?.splice(missed[step].indexOf(boundary), 1);
        }
        note(run, step, boundary, isAgain);
      },
      onReached: (step, { account }) => checkAccount(step, account, undisturbed),
    }),
  );
  await lived.catch((error) => {
    run.note(`in the life that failed processes died at ${deaths.join(", ")}`);
    throw error;
  });
  return missed;
}

function note(run: LaneRun, step: number, boundary: string, isAgain: boolean): void {
  const [call = "", , side = ""] = boundary.split(".");
  if (isAgain) {
    run.add("also", "killed again, going on after a death");
    return;
  }
  run.done++;
  run.add("killed", side);
  run.add("call", call);
  run.add("step", steps[step]?.name ?? "");
}

/** Whoever was killed has what it has whom nobody kills. */
function checkAccount(step: number, account: Account, undisturbed: readonly Reached[]): void {
  assert.deepEqual(account, undisturbed[step]?.account, `"${steps[step]?.name}" comes out as without a death`);
}

/** One life with one death: `STEP/BOUNDARY`, as a failure prints it. */
async function replay(path: string, run: LaneRun): Promise<void> {
  const [step = "", boundary = ""] = path.split("/");
  const undisturbed = await liveUndisturbed(run);
  const targets = undisturbed.map((_, number) => (number === Number(step) ? [boundary] : []));
  await liveOnce(targets, undisturbed, run, () => null);
}

function count(boundaries: readonly (readonly string[])[]): number {
  return boundaries.reduce((sum, { length }) => sum + length, 0);
}

function shuffled(items: readonly string[], random: Random): string[] {
  const drawn = [...items];
  for (let at = drawn.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [drawn[at], drawn[other]] = [drawn[other] as string, drawn[at] as string];
  }
  return drawn;
}
