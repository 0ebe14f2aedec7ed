import { execFile, spawnSync } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createLevelLog, openLevelLog } from "../../store/index.ts";
import { encodeSealedText } from "../../store/sealed-text.ts";
import { appendRecords, freshDirectory, freshLog, openerPath, recordBody, refusal } from "./helpers.ts";

/** Runs a script of the shell with mounts of its own. */
const UNSHARE = ["--map-root-user", "--user", "--mount", "sh", "-c"];
const canMount = spawnSync("unshare", [...UNSHARE, "mount -t tmpfs tmpfs /tmp"]).status === 0;

describe("creating", () => {
  test("makes a directory that only the user can enter, with files that only the user can read", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 1);
    await log.saveSnapshot({ seq: 1n, parts: [] });
    expect(await modes(directory, ".", "log", "snapshots")).toEqual(["700", "700", "700"]);
    expect(await modes(directory, "HEAD", "HEARTWOOD", "OWNER", "snapshots/00000000000000000001")).toEqual(Array(4).fill("600"));
    await log.close();
    expect(await readdir(join(directory, ".."))).toEqual(["wallet"]);
  });

  test("uses an empty directory, also through a link and with an open mode", async () => {
    const parent = await freshDirectory();
    await mkdir(join(parent, "empty"));
    await chmod(join(parent, "empty"), 0o777);
    await symlink(join(parent, "empty"), join(parent, "link"));
    await createLevelLog(join(parent, "link"));
    expect(await modes(parent, "empty")).toEqual(["700"]);
    await (await openLevelLog(join(parent, "link"))).close();
    expect(await readdir(parent)).toEqual(["empty", "link"]);
  });

  test("refuses what is there already and leaves it as it is", async () => {
    const parent = await freshDirectory();
    await mkdir(join(parent, "full"));
    await writeFile(join(parent, "full", "letter.txt"), "dear");
    await writeFile(join(parent, "file"), "text");
    await symlink(join(parent, "nowhere"), join(parent, "dangling"));
    await createLevelLog(join(parent, "store"));
    const before = await readdir(parent, { recursive: true });
    expect(await refusal(createLevelLog(join(parent, "full")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(createLevelLog(join(parent, "file")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(createLevelLog(join(parent, "file", "below")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(createLevelLog(join(parent, "dangling")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(createLevelLog(join(parent, "store")))).toMatchObject({ code: "STORE_EXISTS" });
    expect(await refusal(createLevelLog(join(parent, "missing", "store")))).toMatchObject({ code: "STORE_NOT_FOUND" });
    expect(await readdir(parent, { recursive: true })).toEqual(before);
    expect(await readFile(join(parent, "full", "letter.txt"), "utf8")).toBe("dear");
  });

  test("at the same moment at one place succeeds once", async () => {
    const directory = join(await freshDirectory(), "wallet");
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => createLevelLog(directory)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "STORE_EXISTS" });
    expect(await readdir(join(directory, ".."))).toEqual(["wallet"]);
    await (await openLevelLog(directory)).close();
  });

  test.runIf(canMount).each([
    ["of another file system", 'mount -t tmpfs tmpfs "$1"'],
    ["of the same file system", 'mount --bind "$1" "$1"'],
  ])("refuses a mount point %s, says what to do, and leaves nothing", async (_, mount) => {
    const directory = join(await freshDirectory(), "volume");
    await mkdir(directory);
    const script = `${mount} && exec "$2" "$3" create-one "$1"`;
    const { stdout } = await promisify(execFile)("unshare", [...UNSHARE, script, "sh", directory, process.execPath, openerPath]);
    const error = JSON.parse(stdout);
    expect(error).toMatchObject({
      code: "STORE_FOREIGN",
      message: expect.stringMatching(/mount point .*: choose a directory inside/),
    });
    expect(await readdir(join(directory, ".."), { recursive: true })).toEqual(["volume"]);
  });

  test("two logs have two ids", async () => {
    await using one = await openLevelLog(await freshLog());
    await using other = await openLevelLog(await freshLog());
    expect(one.head().logId).not.toBe(other.head().logId);
  });
});

describe("opening", () => {
  test("refuses what is no store and leaves it as it is", async () => {
    const parent = await freshDirectory();
    await mkdir(join(parent, "empty"));
    await mkdir(join(parent, "full"));
    await writeFile(join(parent, "full", "CURRENT"), "MANIFEST-000001");
    await writeFile(join(parent, "file"), "text");
    const before = await readdir(parent, { recursive: true });
    expect(await refusal(openLevelLog(join(parent, "missing")))).toMatchObject({ code: "STORE_NOT_FOUND" });
    expect(await refusal(openLevelLog(join(parent, "empty")))).toMatchObject({ code: "STORE_NOT_FOUND" });
    expect(await refusal(openLevelLog(join(parent, "full")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await refusal(openLevelLog(join(parent, "file")))).toMatchObject({ code: "STORE_FOREIGN" });
    expect(await readdir(parent, { recursive: true })).toEqual(before);
  });

  test("refuses a store of a later format", async () => {
    const directory = await freshLog();
    await writeFile(join(directory, "HEARTWOOD"), encodeSealedText("heartwood store", { format: "2", log: "ab".repeat(32) }));
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_UNKNOWN_FORMAT" });
  });

  test("for reading leaves HEAD and the marker as they are and no owner behind", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 3);
    await log.close();
    const before = await Promise.all(["HEAD", "HEARTWOOD"].map((name) => readFile(join(directory, name))));
    await (await openLevelLog(directory, { readOnly: true })).close();
    expect(await Promise.all(["HEAD", "HEARTWOOD"].map((name) => readFile(join(directory, name))))).toEqual(before);
    expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "log"]);
  });

  test("tells its progress, and ends with the reason of its signal and everything given free", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    const { epoch } = log.head();
    await log.append({
      epoch,
      expectedSeq: 1n,
      bodies: Array.from({ length: 5_000 }, (_, i) => recordBody(BigInt(i + 1), epoch)),
    });
    await log.close();
    const seen: bigint[] = [];
    const again = await openLevelLog(directory, { onProgress: ({ seq, total }) => seen.push(seq, total) });
    await again.close();
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.slice(-2)).toEqual([5_000n, 5_000n]);

    const stop = new AbortController();
    const opening = openLevelLog(directory, { signal: stop.signal, onProgress: () => stop.abort(new Error("not today")) });
    await expect(opening).rejects.toThrow("not today");
    expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "log"]);
    await (await openLevelLog(directory)).close();
  });

  test("for writing takes back the rights that a copy gave to others; for reading leaves them", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 1);
    await log.saveSnapshot({ seq: 1n, parts: [] });
    await log.close();
    const [directories, files] = [
      [".", "log", "snapshots"],
      ["HEAD", "HEARTWOOD"],
    ];
    for (const name of directories) await chmod(join(directory, name), 0o755);
    for (const name of files) await chmod(join(directory, name), 0o644);
    await (await openLevelLog(directory, { readOnly: true })).close();
    expect(await modes(directory, ...directories, ...files)).toEqual(["755", "755", "755", "644", "644"]);
    await (await openLevelLog(directory)).close();
    expect(await modes(directory, ...directories, ...files)).toEqual(["700", "700", "700", "600", "600"]);
  });

  test.runIf(process.getuid?.() === 0)("leaves the rights of a directory of another user as they are", async () => {
    const directory = await freshLog();
    await chmod(directory, 0o750);
    await chown(directory, 12_345, 12_345);
    await (await openLevelLog(directory)).close();
    expect(await modes(directory, ".")).toEqual(["750"]);
  });

  test("lets other files lie in the directory", async () => {
    const directory = await freshLog();
    await writeFile(join(directory, "settings.json"), "{}");
    await (await openLevelLog(directory)).close();
    await rm(join(directory, "settings.json"));
  });
});

async function modes(directory: string, ...names: readonly string[]): Promise<string[]> {
  const found = names.map(async (name) => ((await stat(join(directory, name))).mode & 0o777).toString(8));
  return Promise.all(found);
}
