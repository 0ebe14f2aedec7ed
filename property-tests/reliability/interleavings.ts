import assert from "node:assert/strict";
import fc, { type Scheduler } from "fast-check";
import { packageOf } from "../deliveries/compose.ts";
import type { Pace } from "../deliveries/fate.ts";
import { buildSmallPool, type Pool } from "../deliveries/pool.ts";
import { Run } from "../deliveries/run.ts";
import type { Lane, LaneRun } from "./lane.ts";
import { makeUpSignatures } from "./library-of-curves.ts";
import { rememberResults } from "./remembered.ts";

/** Cases of one seed of fast-check. */
const CASES = 250;

/** As long as a sync waits for a connection that is being opened, at most. */
const REOPEN_MS = 5_000;

/** Who reads, or brings, what the mailbox has. */
type Consumer = "stream" | "sync" | "import";

/** It comes after so many turns. */
interface Guest {
  readonly who: Consumer;
  readonly turns: number;
}

/** A package, and after how many turns it is posted; one that comes early is there before anybody reads. */
interface Posted {
  readonly picks: readonly number[];
  readonly isEarly: boolean;
  readonly turns: number;
}

/** Consumers of one mailbox that are there at the same time. */
interface Meeting {
  readonly guests: readonly Guest[];
  /** Whether a stream is open before the others come. */
  readonly isLive: boolean;
  readonly packages: readonly Posted[];
  /** At which boundary the process is killed, if at any. */
  readonly killAfter: number | null;
  readonly pageRows: number;
}

const turns = fc.nat(30);
const guest = fc.record({ who: fc.constantFrom<Consumer>("stream", "sync", "sync", "import", "import"), turns });
const packaged = fc.record({ picks: fc.array(fc.nat(1), { minLength: 1, maxLength: 2 }), isEarly: fc.boolean(), turns });
const meeting: fc.Arbitrary<Meeting> = fc.record({
  guests: fc.array(guest, { minLength: 2, maxLength: 4 }),
  isLive: fc.boolean(),
  packages: fc.array(packaged, { minLength: 1, maxLength: 3 }),
  killAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(60) }),
  pageRows: fc.constantFrom(2, 100),
});

/**
 * Two to five consumers of one mailbox meet over a few packages. Each of their calls, each answer and each write goes on
 * when its turn is drawn. Whatever the order, each VTXO is credited once, nothing is lost, no package is vetted by two at
 * once, and everybody gets an answer.
 */
export const interleavings: Lane = {
  name: "interleavings",
  unit: "orders",
  counts: { ci: 10_000, soak: 10_000_000, test: 25 },
  shards: 2,
  leastPercent: { consumer: 1, consumers: 1 },
  async run(run) {
    const pool = await buildSmallPool();
    makeUpSignatures();
    rememberResults();
    const [onlyPart, onlyPath] = run.path?.split("/") ?? [];
    for (let part = Number(onlyPart ?? 0); run.done < run.count; part++) {
      run.at = String(part);
      const details = await fc.check(
        fc.asyncProperty(fc.scheduler(), meeting, (scheduler, drawn) => meet(scheduler, drawn, pool, run)),
        {
          seed: run.seed + 1_000 * part,
          numRuns: Math.min(CASES, run.count),
          ...(onlyPath === undefined ? {} : { path: onlyPath }),
        },
      );
      if (details.failed) {
        run.at = `${part}/${details.counterexamplePath}`;
        throw new Error(await fc.asyncDefaultReportMessage(details), { cause: details.errorInstance });
      }
      if (onlyPart !== undefined) return;
    }
  },
};

async function meet(scheduler: Scheduler, drawn: Meeting, pool: Pool, run: LaneRun): Promise<void> {
  const { guests, isLive, packages, killAfter, pageRows } = drawn;
  const pace: Pace = {
    pause: () => scheduler.schedule(Promise.resolve()),
    async release() {
      let isAny = false;
      for (; scheduler.count() > 0; isAny = true) await scheduler.waitOne();
      return isAny;
    },
  };
  const setup = { live: isLive, pageRows, writeTicks: 0, snapshotPercent: 50, rests: false };
  const wallet = new Run(pool, setup, pace);
  await wallet.open();
  for (const posted of packages.filter(({ isEarly }) => isEarly)) post(wallet, posted);
  if (killAfter !== null) wallet.fate.killAfter(killAfter);
  const wait = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await pace.pause();
  };
  const answers = guests.map(({ who, turns }) => wait(turns).then(() => consume(wallet, who)));
  for (const posted of packages.filter(({ isEarly }) => !isEarly)) void wait(posted.turns).then(() => post(wallet, posted));
  const met = await wallet.wait(Promise.allSettled(answers), REOPEN_MS);
  await end(wallet, drawn);
  const results = met !== undefined && "value" in met ? met.value : [];
  for (const result of results) if (result.status === "rejected") throw result.reason;
  run.done++;
  run.add("consumers", String(guests.length + Number(isLive)));
  for (const { who } of guests) run.add("consumer", who);
  if (isLive) run.add("consumer", "stream that was there");
  run.add("process", met === undefined ? "killed" : "not killed");
  run.add("also", "turns drawn", scheduler.report().length);
}

function post(wallet: Run, { picks }: Posted): void {
  const { posted, pool, server } = wallet;
  const vtxos = picks.map((pick) => pool.vtxos[pick]?.bytes ?? new Uint8Array());
  wallet.honest = (wallet.honest === 0n ? BigInt(wallet.clock.trueMs) << 20n : wallet.honest) + 1n;
  const entry = packageOf(vtxos, wallet.honest);
  posted.push(entry);
  server.keep(entry);
  server.emit(entry);
}

async function consume({ wallet, pool }: Run, who: Consumer): Promise<unknown> {
  switch (who) {
    case "stream":
      return wallet.start();
    case "sync":
      return wallet.sync();
    case "import":
      return wallet.importVtxo(pool.vtxos[0]?.bytes ?? new Uint8Array());
  }
}

/** What is left over is read; then all is there, once. */
async function end(run: Run, { packages, guests }: Meeting): Promise<void> {
  run.fate.spare();
  const last = await run.wait(run.wallet.sync());
  assert.ok(last !== undefined && "value" in last && last.value.caughtUp, "without faults a sync reads to the end");
  const { ledger, pool, posted, wallet } = run;
  assert.deepEqual(ledger.undecided(), []);
  assert.deepEqual([...ledger.vettedAgain], [], "who finds a package being vetted waits for its turn");
  for (const { raw } of posted) assert.ok(ledger.received.has(run.digest(raw)), "every message was taken in");
  run.checkTold();
  const { openCommands, halted, vtxos, checkpoint } = wallet.status();
  assert.deepEqual([openCommands, halted, checkpoint], [0, null, run.honest]);
  const picks = new Set(packages.flatMap((one) => one.picks));
  const ids = new Set([...picks].map((pick) => pool.vtxos[pick]?.id));
  const isBrought = guests.some(({ who }) => who === "import") && vtxos.some(({ id }) => id === pool.vtxos[0]?.id);
  if (isBrought) ids.add(pool.vtxos[0]?.id);
  assert.deepEqual(new Set(vtxos.map(({ id }) => id)), ids, "all the money, and nothing else");
  await run.close();
}
