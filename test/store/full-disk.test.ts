import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freshDirectory } from "./helpers.ts";

const program = fileURLToPath(new URL("./full-disk.mjs", import.meta.url));

/** Runs a program with a file system of its own, which goes when the program ends. */
const UNSHARE = [
  "--map-root-user",
  "--user",
  "--mount",
  "sh",
  "-c",
  'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"',
  "sh",
];
const canMount = spawnSync("unshare", [...UNSHARE.slice(0, 5), "mount -t tmpfs tmpfs /tmp"]).status === 0;

test.runIf(canMount)(
  "on a full disk nothing acknowledged is lost, nothing more is written, and with room it goes on",
  async () => {
    const directory = await freshDirectory();
    const { stdout } = await promisify(execFile)("unshare", [...UNSHARE, directory, process.execPath, program]);
    const rounds: { [name: string]: string }[] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rounds).toHaveLength(3);
    for (const { failed, after, acknowledged, found } of rounds) {
      expect(failed).toBe("STORE_FULL");
      expect(after).toBe("STORE_POISONED");
      expect(BigInt(found ?? 0)).toBeGreaterThanOrEqual(BigInt(acknowledged ?? 0));
      expect(BigInt(acknowledged ?? 0)).toBeGreaterThan(0n);
    }
  },
);
