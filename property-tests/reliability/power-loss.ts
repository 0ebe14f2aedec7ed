import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Lane, LaneRun } from "./lane.ts";
import { type DiskState, type Loss, RecordedDisk } from "./power-loss/disk.ts";
import { parseRecording, RECORDING_OPTIONS, type Recording } from "./power-loss/recording.ts";
import { checkPromises, checkThatItGoesOn, type Promises, promisesOf, readStore } from "./promises.ts";
import { Random } from "./random.ts";
import { withScratch } from "./scratch.ts";
import { builtProgram, requireStrace, runTraced } from "./strace.ts";

const SESSIONS = 3;
const STATES_OF_A_RECORDING = 1_000;
const STATES_TO_SEE_A_LOSS = 40;

/** Syncs that, left out, must cost something, or the lane would not see it either. */
const NEEDED_SYNCS: { readonly [what: string]: RegExp } = {
  "of the write-ahead log": /\/log\/\d+\.log$/,
  "of HEAD": /\/HEAD$/,
};

/**
 * The system calls of a program that creates, opens and writes a log are recorded. Then the power goes at some moment:
 * what was synced is there, of the rest anything may be. All that was acknowledged is found, and nothing else than what
 * was attempted; a log that was being created is absent or ready.
 */
export const powerLoss: Lane = {
  name: "power-loss",
  unit: "states",
  counts: { ci: 20_000, soak: 1_000_000, test: 80 },
  shards: 2,
  leastPercent: { phase: 1, data: 10, names: 10 },
  async run(run) {
    requireStrace();
    let recorded: Recorded | undefined;
    for (const index of run.cases()) {
      const part = Math.floor(index / STATES_OF_A_RECORDING);
      if (recorded?.part !== part) {
        const isFirst = recorded === undefined;
        recorded = await record(run.seed, part);
        run.add("recorded", "sessions", SESSIONS);
        run.add("recorded", "file operations", recorded.recording.operations.length);
        if (isFirst) await checkThatLossesAreSeen(recorded, run);
      }
      const random = new Random(run.seed, index + 1);
      const loss = chooseLoss(recorded.recording, random);
      run.add("phase", phaseAt(recorded.recording, loss.cut));
      run.add("data", loss.data);
      run.add("names", loss.names);
      run.add("outcome", await checkState(recorded.disk.after(loss, random), loss, recorded.recording, random));
    }
  },
};

/** The directory of the recorded program, as paths in a recording say it. */
const PLACE = "/place";
const WALLET = "wallet";

interface Recorded {
  readonly part: number;
  readonly recording: Recording;
  readonly disk: RecordedDisk;
}

/** Records one program that creates a log, and others that open it again. */
async function record(seed: number, part: number): Promise<Recorded> {
  return withScratch(async (directory) => {
    const place = join(directory, "place");
    mkdirSync(place);
    const operations: Recording["operations"][number][] = [];
    const statements: Recording["statements"][number][] = [];
    let end = 0;
    for (let session = 0; session < SESSIONS; session++) {
      const file = join(directory, `trace-${session}`);
      const options = [...RECORDING_OPTIONS, "-o", file];
      const args = [join(place, WALLET), String(seed + part), String(session)];
      const { code, errors } = await runTraced(options, builtProgram("power-loss/writer.js"), args);
      assert.equal(code, 0, `the recorded program failed: ${errors}`);
      const parsed = parseRecording(readFileSync(file, "utf8"), place, end);
      operations.push(...parsed.operations);
      statements.push(...parsed.statements);
      end = parsed.end;
    }
    const recording = { operations: operations.map((operation) => moved(operation, place)), statements, end };
    return { part, recording, disk: new RecordedDisk(recording, PLACE) };
  });
}

/** The same with {@link PLACE} for the directory in which it was recorded. */
function moved(operation: Recording["operations"][number], place: string): Recording["operations"][number] {
  const call = { ...operation.call };
  const move = (path: string) => (path.startsWith(place) ? `${PLACE}${path.slice(place.length)}` : path);
  if ("path" in call) call.path = move(call.path);
  if ("to" in call) call.to = move(call.to);
  return { ...operation, call };
}

function chooseLoss({ end }: Recording, random: Random): Loss {
  return {
    cut: 1 + random.below(end),
    data: random.weighted({ none: 25, all: 15, some: 60 }),
    names: random.weighted({ ordered: 75, unordered: 25 }),
  };
}

/** What the program was about at a moment. */
function phaseAt({ statements }: Recording, cut: number): string {
  const last = statements.findLast(({ at }) => at < cut)?.text ?? "";
  if (last === "") return "creation";
  if (last === "created") return "first opening";
  if (last.startsWith("attempt")) return "commit";
  return "after a commit or an opening, snapshots and closing included";
}

/** What was promised before a moment. */
function promisesAt({ statements }: Recording, cut: number): Promises {
  return promisesOf(statements.filter(({ at }) => at < cut).map(({ text }) => text));
}

async function checkState(state: DiskState, loss: Loss, recording: Recording, random: Random): Promise<string> {
  return withScratch(async (directory) => {
    try {
      writeState(directory, state);
      return await checkWallet(join(directory, WALLET), loss, recording, random);
    } catch (cause) {
      throw new Error(`power lost at ${loss.cut}, data ${loss.data}, names ${loss.names}: ${cause}`, { cause });
    }
  });
}

async function checkWallet(wallet: string, { cut, names }: Loss, recording: Recording, random: Random): Promise<string> {
  const found = await readStore(wallet, random.oneIn(2));
  // No journal forgets a change of names and keeps a later one. If one did, a log might be refused, never shown short.
  if (names === "unordered" && typeof found === "string" && found !== "STORE_NOT_FOUND") return `refused: ${found}`;
  const outcome = await checkPromises(wallet, found, promisesAt(recording, cut));
  if (random.oneIn(8)) await checkThatItGoesOn(wallet);
  return outcome;
}

function writeState(directory: string, state: DiskState): void {
  for (const [path, content] of state) {
    if (content === undefined) mkdirSync(join(directory, path), { recursive: true });
  }
  for (const [path, content] of state) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** Without a sync that is needed, states are found in which something acknowledged is missing. */
async function checkThatLossesAreSeen({ recording }: Recorded, run: LaneRun): Promise<void> {
  for (const [what, paths] of Object.entries(NEEDED_SYNCS)) {
    const disk = new RecordedDisk(recording, PLACE, paths);
    let seen = 0;
    for (let index = 0; index < STATES_TO_SEE_A_LOSS; index++) {
      const random = new Random(run.seed, index);
      const loss: Loss = { ...chooseLoss(recording, random), data: "none", names: "ordered" };
      await withScratch(async (directory) => {
        writeState(directory, disk.after(loss, random));
        const found = await readStore(join(directory, WALLET), true);
        const { acknowledged } = promisesAt(recording, loss.cut);
        if (acknowledged > 0 && (typeof found === "string" || found.length < acknowledged)) seen++;
      });
    }
    assert.ok(seen > 0, `expected losses without the syncs ${what}, got none: the lane is blind`);
    run.add("losses seen without syncs", what, seen);
  }
}
