// node main.js commits | open RECORDS PACKAGES VTXOS: one part of `npm run bench`, in a process of its own.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { measureCommits } from "./commits.ts";
import { measureOpen, reopen } from "./open.ts";

const [part, ...rest] = process.argv.slice(2);
if (part === "reopen") {
  const [path = "", digest = ""] = rest;
  print(String(await reopen(path, digest)));
  process.exit();
}
// Beside the code, not in a temporary directory, which may be in memory.
await mkdir(join(process.cwd(), ".heartwood"), { recursive: true });
const directory = await mkdtemp(join(process.cwd(), ".heartwood", "bench-"));
try {
  if (part === "commits") await printCommits();
  else await printOpen(rest.map(Number));
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function printCommits(): Promise<void> {
  for (const records of [1, 64]) {
    const { bytes, bare, log } = await measureCommits(directory, records);
    print(`\ncommits of ${records} record${records === 1 ? "" : "s"} (${bytes} bytes)`);
    print(`  ${"bare synced LevelDB batches, one after the other".padEnd(52)}${figure(bare)} /s`);
    for (const { callers, appends, commits } of log) {
      const who = callers === 1 ? "log, each append waited for" : `log, ${callers} appends in flight`;
      const ratio = `${(appends / bare).toFixed(2)} of bare`;
      print(`  ${who.padEnd(52)}${figure(appends)} /s  ${ratio}, in ${figure(commits).trim()} commits /s`);
    }
  }
}

async function printOpen([records = 0, packages = 0, vtxosPerPackage = 0]: number[]): Promise<void> {
  const figures = await measureOpen(directory, { records, packages, vtxosPerPackage });
  const { written, fillMs, openMs, replayMs, snapshotBytes, peakRssBytes, usedBytes, bytesPerRecord } = figures;
  print(
    `\n${figure(written).trim()} records: ${figure(packages * vtxosPerPackage).trim()} VTXOs of ${figure(packages).trim()} packages`,
  );
  print(`  filled in ${seconds(fillMs)}, ${Math.round(bytesPerRecord)} bytes a record`);
  print(`  open with a snapshot of ${mebibytes(snapshotBytes)}: ${seconds(openMs)}`);
  print(`  replay of everything: ${seconds(replayMs)}, ${figure((1_000 * written) / replayMs).trim()} records /s`);
  print(`  memory while replaying: at most ${mebibytes(peakRssBytes)} resident; in use at its end ${mebibytes(usedBytes)}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function figure(value: number): string {
  return Math.round(value).toLocaleString("en-US").padStart(9);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
