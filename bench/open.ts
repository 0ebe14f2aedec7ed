import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { replay } from "../engine/replay.ts";
import { restore } from "../engine/restore.ts";
import { digestOfParts, encodeState } from "../engine/state-snapshot.ts";
import { WalletState } from "../engine/wallet-state.ts";
import { toHex } from "../store/bytes.ts";
import { FRAME_OVERHEAD_BYTES } from "../store/frame.ts";
import { createLevelLog, openLevelLog } from "../store/index.ts";
import { type Filling, fill } from "./fill.ts";
import { median } from "./median.ts";

const OPENINGS = 3;
/** Records whose sizes are looked at: the life is the same all along. */
const SAMPLE = 20_000n;
const KEY_BYTES = 9;

/** What a log of that filling costs. */
export interface OpenFigures extends Filling {
  readonly written: number;
  readonly bytesPerRecord: number;
  readonly fillMs: number;
  /** Opening the log and restoring the state from a snapshot, and the size of that snapshot. */
  readonly openMs: number;
  readonly snapshotBytes: number;
  /** Replay from the first record, each step taken again. */
  readonly replayMs: number;
  /** What the process held at most while it replayed, garbage and all, and what of it is in use at the end. */
  readonly peakRssBytes: number;
  readonly usedBytes: number;
}

/**
 * Fills a log, opens it with a snapshot, and replays it without one. The states must be the same to the byte.
 *
 * @throws Error if they are not
 */
export async function measureOpen(directory: string, filling: Filling): Promise<OpenFigures> {
  const path = join(directory, `open-${filling.records}-${filling.packages}`);
  await createLevelLog(path);
  const filled = await timed(() => filledLog(path, filling));
  const openings: number[] = [];
  for (let count = 0; count < OPENINGS; count++) openings.push(openWithSnapshot(path, filled.result.digest));
  const { bytesPerRecord, ...replayed } = await replayAll(path, filled.result.digest);
  await rm(path, { recursive: true, force: true });
  const { written, snapshotBytes } = filled.result;
  return { ...filling, written, snapshotBytes, fillMs: filled.ms, openMs: median(openings), bytesPerRecord, ...replayed };
}

async function filledLog(path: string, filling: Filling) {
  await using log = await openLevelLog(path);
  const state = await fill(log, filling);
  const parts = [...encodeState(state)];
  await log.saveSnapshot({ seq: state.seq, parts });
  const snapshotBytes = parts.reduce((sum, part) => sum + part.length, 0);
  return { written: Number(state.seq), snapshotBytes, digest: digestOf(state) };
}

/** In a process of its own, as a wallet is opened: what filled the log left a heap behind. */
function openWithSnapshot(path: string, digest: string): number {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  return Number(execFileSync(process.execPath, [main, "reopen", path, digest], { encoding: "utf8" }));
}

/**
 * Opens a log as a wallet does, and restores its state from its snapshot.
 *
 * @returns milliseconds
 */
export async function reopen(path: string, digest: string): Promise<number> {
  const { ms, result } = await timed(async () => {
    const log = await openLevelLog(path, { verify: "needed" });
    return { log, ...(await restore(log)) };
  });
  await result.log.close();
  const { state, snapshotSeq } = result;
  if (snapshotSeq !== state.seq) throw new Error(`expected the snapshot of record ${state.seq}, got ${snapshotSeq}`);
  expectSame(state, digest);
  return ms;
}

async function replayAll(path: string, digest: string) {
  await using log = await openLevelLog(path, { readOnly: true, verify: "needed" });
  const state = new WalletState();
  let peakRssBytes = 0;
  const onProgress = (): void => {
    peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
  };
  const { ms } = await timed(() => replay(log, state, { onProgress }));
  const usedBytes = memoryInUse();
  expectSame(state, digest);
  let [records, bytes] = [0, 0];
  for await (const { body } of log.read({ to: SAMPLE })) {
    records++;
    bytes += KEY_BYTES + FRAME_OVERHEAD_BYTES + body.length;
  }
  return { replayMs: ms, peakRssBytes, usedBytes, bytesPerRecord: bytes / records };
}

function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function expectSame(state: WalletState, digest: string): void {
  const found = digestOf(state);
  if (found !== digest) throw new Error(`expected the state ${digest}, got ${found}`);
}

function digestOf(state: WalletState): string {
  return toHex(digestOfParts(encodeState(state)));
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const startedMs = performance.now();
  const result = await work();
  return { ms: performance.now() - startedMs, result };
}
