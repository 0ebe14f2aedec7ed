import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Level } from "level";
import { onTestFinished } from "vitest";
import { Record } from "../../proto/generated/log.ts";
import { createLevelLog, type EventLog, isStoreError, type StoreError } from "../../store/index.ts";
import { currentProcess } from "../../store/process-identity.ts";
import { encodeSealedText } from "../../store/sealed-text.ts";

/** The program that opens a log in another process or thread; it runs the built package. */
export const openerPath = fileURLToPath(new URL("./opener.mjs", import.meta.url));
const salvagerPath = fileURLToPath(new URL("./salvager.mjs", import.meta.url));

/** A fresh directory that is removed after the test. */
export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "heartwood-store-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory with a new, empty log. */
export async function freshLog(): Promise<string> {
  const directory = join(await freshDirectory(), "wallet");
  await createLevelLog(directory);
  return directory;
}

/** A record whose content follows from its seq, so that a reader knows what it must be. */
export function recordBody(seq: bigint, epoch: bigint): Uint8Array {
  const event = new Uint8Array(20 + (Number(seq) % 7) * 90).map((_, i) => (Number(seq) * 131 + i * i * 7) & 0xff);
  return Record.encode(
    Record.fromPartial({ seq, epoch, machine: "test", instance: "test/1", type: `type-${seq}`, event }),
  ).finish();
}

/** Appends records one commit at a time. */
export async function appendRecords(log: EventLog, count: number): Promise<void> {
  const { epoch, seq } = log.head();
  for (let next = seq + 1n; next <= seq + BigInt(count); next++) {
    await log.append({ epoch, expectedSeq: next, bodies: [recordBody(next, epoch)] });
  }
}

/** Every record's position and event, comparable. */
export async function contents(log: EventLog): Promise<string[]> {
  const lines: string[] = [];
  for await (const { seq, commit, record } of log.read()) {
    lines.push(`${seq} ${commit} ${record.epoch} ${record.type} ${Buffer.from(record.event).toString("hex")}`);
  }
  return lines;
}

/** The error with which something was refused; fails if it was not, or not by the store. */
export async function refusal(action: Promise<unknown>): Promise<StoreError> {
  try {
    await action;
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
  throw new Error("expected a refusal, got success");
}

/** A copy of a log's directory beside it. */
export async function copyOf(directory: string, name: string): Promise<string> {
  const copy = `${directory}-${name}`;
  await rm(copy, { recursive: true, force: true });
  await cp(directory, copy, { recursive: true });
  return copy;
}

/** Files of the LevelDB directory with one of these endings. */
export async function databaseFiles(directory: string, ...endings: readonly string[]): Promise<string[]> {
  const names = await readdir(join(directory, "log"));
  return names
    .filter((name) => endings.some((ending) => name.endsWith(ending) || name.startsWith(ending)))
    .map((name) => join(directory, "log", name));
}

/** Overwrites the frame of a record with bytes that are none. */
export async function damageRecord(directory: string, seq: bigint): Promise<void> {
  await inDatabase(directory, (level) => level.put(frameKey(seq), new Uint8Array(40), { sync: true }));
}

/** Removes the frame of a record. */
export async function removeRecord(directory: string, seq: bigint): Promise<void> {
  await inDatabase(directory, (level) => level.del(frameKey(seq), { sync: true }));
}

async function inDatabase(directory: string, change: (level: Level<Uint8Array, Uint8Array>) => Promise<void>): Promise<void> {
  const level = new Level<Uint8Array, Uint8Array>(join(directory, "log"), { keyEncoding: "view", valueEncoding: "view" });
  await change(level);
  await level.close();
}

function frameKey(seq: bigint): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = 0x65;
  new DataView(key.buffer).setBigUint64(1, seq);
  return key;
}

/** Puts an OWNER file there, of this living process but for the given members. */
export async function forgeOwner(directory: string, members: { readonly [name: string]: string }): Promise<void> {
  const self = await currentProcess();
  const owner = {
    host: self.host,
    boot: self.bootId,
    pid: String(self.pid),
    start: self.startTime,
    since: "2020-01-01T00:00:00.000Z",
  };
  const text = encodeSealedText("heartwood owner 1", { ...owner, mode: "write", epoch: "1", token: "ab".repeat(16), ...members });
  await writeFile(join(directory, "OWNER"), text);
}

/** Another process that has something to do with a log. */
export interface Opener {
  readonly process: ChildProcessWithoutNullStreams;
  /** Its next line of output, parsed. */
  next(): Promise<{
    readonly code?: string;
    readonly holder?: { readonly pid: number };
    readonly seq?: string;
    readonly epoch?: string;
  }>;
  /** Everything it says until it ends. */
  rest(): Promise<string[]>;
  /** Asks it to close the log and to end. */
  finish(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts another process that opens a log (`try`, `hold`, `offer`, `append`) or creates some (`create`). */
export function startOpener(mode: "try" | "hold" | "offer" | "append" | "create", directory: string): Opener {
  const child = spawn(process.execPath, [openerPath, mode, directory], { stdio: ["pipe", "pipe", "pipe"] });
  child.stderr.pipe(process.stderr);
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    process: child,
    async next() {
      const { value } = await lines.next();
      if (value === undefined) throw new Error("expected a line of the other process, got its end");
      return JSON.parse(value);
    },
    async rest() {
      const all: string[] = [];
      for (let line = await lines.next(); !line.done; line = await lines.next()) all.push(line.value);
      await ended; // its output ends a moment before it does, and until then it holds what it locked
      return all;
    },
    async finish() {
      child.stdin.end();
      await ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Random numbers from a seed, the same on every run: `next(n)` is from 0 to n − 1. */
export function seededRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * bound);
  };
}

/** What {@link startSalvager} says of a mutation: first which it is, then also how salvage and opening ended. */
export interface SalvagerLine {
  readonly mutations: string;
  readonly salvage?: string;
  readonly opening?: string;
}

/** Salvages that many mutated copies of a store in a process of its own; what it said before it ended, however that was. */
export async function startSalvager(directory: string, scratch: string, seed: number, count: number): Promise<SalvagerLine[]> {
  const child = spawn(process.execPath, [salvagerPath, directory, scratch, String(seed), String(count)], { stdio: "pipe" });
  child.stderr.pipe(process.stderr);
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: SalvagerLine[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line));
  return lines;
}
