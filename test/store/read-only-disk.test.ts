import { execFile, spawnSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openLevelLog } from "../../store/index.ts";
import { appendRecords, freshLog } from "./helpers.ts";

const program = fileURLToPath(new URL("./read-only-disk.mjs", import.meta.url));

/** Runs a program with a copy of a directory on a file system of its own that cannot be written to. */
const UNSHARE = ["--map-root-user", "--user", "--mount", "sh", "-c"];
const COMMAND =
  'mount -t tmpfs tmpfs "$1" && cp -r "$2" "$1/wallet" && mount -o remount,ro "$1" && exec "$3" "$4" "$1/wallet" "$5"';
const canMount = spawnSync("unshare", [...UNSHARE, "mount -t tmpfs tmpfs /tmp"]).status === 0;

async function onReadOnlyDisk(directory: string) {
  const [mountPoint, to] = [`${directory}-mounted`, `${directory}-salvaged`];
  await mkdir(mountPoint);
  const parameters = ["sh", mountPoint, directory, process.execPath, program, to];
  const { stdout } = await promisify(execFile)("unshare", [...UNSHARE, COMMAND, ...parameters]);
  return { ...JSON.parse(stdout), to };
}

test.runIf(canMount)(
  "what cannot be written to is salvaged, unless it has an owner that lives; opening says to copy it",
  async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 3);
    const owned = join(dirname(directory), "owned");
    const owner = await readFile(join(directory, "OWNER"));
    await log.close();
    await rm(join(directory, "HEAD"));
    const { salvage, opening, to } = await onReadOnlyDisk(directory);
    expect(salvage).toEqual({ kept: "3" });
    expect(opening).toMatchObject({
      code: "STORE_IO",
      message: expect.stringContaining("copy the directory to a writable place"),
    });
    await using salvaged = await openLevelLog(to);
    expect(salvaged.head().seq).toBe(3n);
    await cp(directory, owned, { recursive: true });
    await writeFile(join(owned, "OWNER"), owner);
    expect((await onReadOnlyDisk(owned)).salvage).toMatchObject({ code: "STORE_LOCKED" });
  },
);
