import { join } from "node:path";
import { Level } from "level";
import { Record as LogRecord } from "../proto/generated/log.ts";
import { FRAME_OVERHEAD_BYTES } from "../store/frame.ts";
import { createLevelLog, type EventLog, openLevelLog } from "../store/index.ts";
import { median } from "./median.ts";

/** Bytes of the event of a record: with all else about as many as a record of a wallet has (docs/growth.md). */
const EVENT_BYTES = 150;
const ROUNDS = 7;
/** Batches a round, and how many of them are in flight at most while a log pipelines or groups. */
const BATCHES = 120;
const CALLERS = [1, 2, 16];

/** How fast a log of batches of one size commits, against a bare loop on the same disk in the same run. */
export interface CommitFigures {
  readonly records: number;
  readonly bytes: number;
  /** Synced LevelDB batches a second, one after the other. */
  readonly bare: number;
  readonly log: readonly {
    readonly callers: number;
    /** Batches acknowledged a second. */
    readonly appends: number;
    /** Commits that they were written in, a second. */
    readonly commits: number;
  }[];
}

/** Takes turns, so that what else the machine does meets both alike; each figure is the median of its rounds. */
export async function measureCommits(directory: string, records: number): Promise<CommitFigures> {
  const bare = new Level<Uint8Array, Uint8Array>(join(directory, `bare-${records}`), {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  await bare.open();
  await createLevelLog(join(directory, `log-${records}`));
  const log = await openLevelLog(join(directory, `log-${records}`));
  const length = FRAME_OVERHEAD_BYTES + bodyOf(log, 1n).length;
  const bareRounds: number[] = [];
  const logRounds = CALLERS.map((callers) => ({ callers, appends: [] as number[], commits: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    bareRounds.push(await bareRound(bare, round, records, length));
    for (const { callers, appends, commits } of logRounds) {
      const figures = await logRound(log, callers, records);
      appends.push(figures.appends);
      commits.push(figures.commits);
    }
  }
  await bare.close();
  await log.close();
  return {
    records,
    bytes: records * length,
    bare: median(bareRounds),
    log: logRounds.map(({ callers, appends, commits }) => ({ callers, appends: median(appends), commits: median(commits) })),
  };
}

async function bareRound(level: Level<Uint8Array, Uint8Array>, round: number, records: number, length: number): Promise<number> {
  const batches = Array.from({ length: BATCHES }, (_, batch) =>
    Array.from({ length: records }, (_, index) => {
      const key = new Uint8Array(9);
      new DataView(key.buffer).setBigUint64(1, BigInt((round * BATCHES + batch) * records + index));
      return { key, value: new Uint8Array(length).fill(batch) };
    }),
  );
  return perSecond(BATCHES, async () => {
    for (const puts of batches) {
      const batch = level.batch();
      for (const { key, value } of puts) batch.put(key, value);
      await batch.write({ sync: true });
    }
  });
}

async function logRound(log: EventLog, callers: number, records: number): Promise<{ appends: number; commits: number }> {
  const { epoch, seq, commit } = log.head();
  const requests = Array.from({ length: BATCHES }, (_, batch) => {
    const expectedSeq = seq + 1n + BigInt(batch * records);
    const bodies = Array.from({ length: records }, (_, index) => bodyOf(log, expectedSeq + BigInt(index)));
    return { epoch, expectedSeq, bodies };
  });
  const left = requests.values();
  const call = async (): Promise<void> => {
    for (const request of left) await log.append(request);
  };
  const appends = await perSecond(BATCHES, async () => void (await Promise.all(Array.from({ length: callers }, call))));
  return { appends, commits: (appends * Number(log.head().commit - commit)) / BATCHES };
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (1_000 * count) / (performance.now() - startedMs);
}

function bodyOf(log: EventLog, seq: bigint): Uint8Array {
  const event = new Uint8Array(EVENT_BYTES).fill(Number(seq % 251n));
  const record = LogRecord.create({ seq, epoch: log.head().epoch, atMs: BigInt(Date.now()), machine: "bench", event });
  return LogRecord.encode(record).finish();
}
