import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { type Lane, MachineRefused } from "./lane.ts";
import { withScratch } from "./scratch.ts";
import { builtProgram } from "./strace.ts";

/** Runs a program with a file system of 1 MiB of its own, which goes when the program ends. */
const WITH_SMALL_DISK = [
  ...["--map-root-user", "--user", "--mount", "sh", "-c"],
  'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1" "$4"',
  "sh",
];

/** What a round says of itself: counts by class. */
type Round = Readonly<{ [name: string]: number }>;

/**
 * A log is filled until its disk is full, and opened again while it is, and once there is room. The first failure is
 * `STORE_FULL`, all others until the log is closed are `STORE_POISONED`; nothing acknowledged is lost, and it goes on.
 */
export const diskFull: Lane = {
  name: "disk-full",
  unit: "rounds",
  counts: { ci: 40, soak: 2_000, test: 2 },
  shards: 1,
  leastPercent: {},
  async run(run) {
    requireSmallDisk();
    for (const index of run.cases()) {
      await withScratch(async (directory) => {
        const seed = String(run.seed + index);
        const args = [...WITH_SMALL_DISK, directory, process.execPath, builtProgram("disk-full/round.js"), seed];
        const { stdout } = await promisify(execFile)("unshare", args);
        const round: Round = JSON.parse(stdout);
        assert.ok((round.acknowledged ?? 0) > 0, "expected something to be acknowledged before the disk was full");
        for (const [name, count] of Object.entries(round)) run.add("counted", name, count);
      });
    }
  },
};

/** @throws MachineRefused where no file system of a chosen size can be mounted */
function requireSmallDisk(): void {
  const { error, status, stderr } = spawnSync("unshare", [...WITH_SMALL_DISK.slice(0, 5), "mount -t tmpfs tmpfs /tmp"], {
    encoding: "utf8",
  });
  if (error !== undefined) throw new MachineRefused(`unshare is needed: ${error.message}`);
  if (status !== 0) throw new MachineRefused(`a tmpfs of its own is needed and cannot be mounted: ${stderr.trim()}`);
}
