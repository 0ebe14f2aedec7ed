import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { openLevelLog, readLock, unlockStore } from "../../store/index.ts";
import { displaceOwner, Ownership, readOwner } from "../../store/owner-file.ts";
import { currentProcess, isCertainlyGone } from "../../store/process-identity.ts";
import { appendRecords, contents, forgeOwner, freshLog, openerPath, refusal, startOpener } from "./helpers.ts";

describe("while another process has the log open", () => {
  test("every way in is refused with the holder's name, and the holder goes on", async () => {
    const directory = await freshLog();
    const link = `${directory}-link`;
    await symlink(directory, link);
    const holder = startOpener("hold", directory);
    await holder.next();
    const { pid } = holder.process;
    for (const path of [directory, link, `${directory}/../wallet`]) {
      for (const readOnly of [false, true]) {
        const error = await refusal(openLevelLog(path, { readOnly }));
        expect(error).toMatchObject({
          code: "STORE_LOCKED",
          retryable: true,
          holder: { pid, host: hostname(), readOnly: false },
        });
        expect(error.message).toContain(String(pid));
      }
    }
    expect(await startOpener("try", link).next()).toMatchObject({ code: "STORE_LOCKED", holder: { pid } });
    expect(await openInThread(directory)).toMatchObject({ code: "STORE_LOCKED", holder: { pid } });
    await holder.finish();
    await using log = await openLevelLog(directory);
    expect(log.head()).toMatchObject({ epoch: 2n, seq: 1n });
    expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "OWNER", "log"]);
  });

  test("copying the directory does not let a second one in", async () => {
    const directory = await freshLog();
    const holder = startOpener("hold", directory);
    await holder.next();
    for (const name of await readdir(join(directory, "log"))) await readFile(join(directory, "log", name));
    expect(await startOpener("try", directory).next()).toMatchObject({ code: "STORE_LOCKED" });
    await holder.finish();
  });

  test("without the OWNER file LevelDB's own lock still refuses, and leaves no OWNER behind", async () => {
    const directory = await freshLog();
    const holder = startOpener("hold", directory);
    await holder.next();
    await rm(join(directory, "OWNER"));
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_LOCKED" });
    expect(await readdir(directory)).not.toContain("OWNER");
    await holder.finish();
    await using log = await openLevelLog(directory);
    expect(log.head().seq).toBe(1n);
  });

  test("an OWNER file that names a process that is gone is put back where LevelDB knows better", async () => {
    const directory = await freshLog();
    const holder = startOpener("hold", directory);
    await holder.next();
    await forgeOwner(directory, { pid: "4194304" });
    const forged = await readFile(join(directory, "OWNER"), "utf8");
    const error = await refusal(openLevelLog(directory));
    expect(error).toMatchObject({ code: "STORE_LOCKED", retryable: true, holder: { pid: 4_194_304, host: hostname() } });
    expect(error.message).toMatch(/process 4194304 on .* cannot be seen from here/);
    expect(await readFile(join(directory, "OWNER"), "utf8")).toBe(forged);
    expect(await readdir(directory)).toHaveLength(4);
    await holder.finish();
  });
});

describe("while this process has the log open", () => {
  test("itself, its threads, other processes and links to the directory are refused, again and again", async () => {
    const directory = await freshLog();
    const link = `${directory}-link`;
    await symlink(directory, link);
    const log = await openLevelLog(directory);
    for (let round = 0; round < 3; round++) {
      for (const path of [directory, link]) {
        expect(await refusal(openLevelLog(path))).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
        expect(await openInThread(path)).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
      }
      // A refusal inside LevelDB would have dropped the lock, and this one would get in.
      expect(await startOpener("try", directory).next()).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
      await appendRecords(log, 1);
    }
    expect(await contents(log)).toHaveLength(3);
    await log.close();
    expect(await startOpener("try", directory).next()).toEqual({ epoch: "2" });
  });

  test("even without its OWNER file this process does not open it twice, which would drop LevelDB's lock", async () => {
    const directory = await freshLog();
    await using log = await openLevelLog(directory);
    await rm(join(directory, "OWNER"));
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
    expect(await startOpener("try", directory).next()).toMatchObject({ code: "STORE_LOCKED" });
    await appendRecords(log, 1);
  });

  test("of opens at the same moment one wins", async () => {
    const directory = await freshLog();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => openLevelLog(directory)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "STORE_LOCKED" });
      else await result.value.close();
    }
  });

  test("a log that is open for reading is locked too", async () => {
    const directory = await freshLog();
    const reader = await openLevelLog(directory, { readOnly: true });
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_LOCKED", holder: { readOnly: true } });
    expect(await startOpener("try", directory).next()).toMatchObject({ code: "STORE_LOCKED", holder: { readOnly: true } });
    await reader.close();
    await (await openLevelLog(directory)).close();
  });
});

describe("a lock whose holder is gone", () => {
  test("clears itself after SIGKILL", async () => {
    const directory = await freshLog();
    const holder = startOpener("hold", directory);
    await holder.next();
    await holder.kill();
    expect(await readdir(directory)).toContain("OWNER");
    await using log = await openLevelLog(directory);
    expect(log.head().epoch).toBe(2n);
    expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "OWNER", "log"]);
  });

  test("of processes that find it at the same moment one wins", async () => {
    const directory = await freshLog();
    await forgeOwner(directory, { pid: "4194304" });
    const openers = Array.from({ length: 4 }, () => startOpener("hold", directory));
    const answers = await Promise.all(openers.map((opener) => opener.next()));
    expect(answers.filter(({ epoch }) => epoch !== undefined)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === "STORE_LOCKED")).toHaveLength(3);
    await Promise.all(openers.map((opener) => opener.finish()));
    await using log = await openLevelLog(directory);
    expect(log.head().seq).toBe(1n);
  });

  test.each([
    ["its pid is free", { pid: "4194304" }],
    ["its pid belongs to a process that started at another time", { pid: String(process.ppid), start: "1" }],
    ["its pid is this process's, of another time", { start: "1" }],
    ["the machine was started anew since", { boot: "00000000-0000-0000-0000-000000000000" }],
  ])("is taken over where %s", async (_, members) => {
    const directory = await freshLog();
    await forgeOwner(directory, members);
    const log = await openLevelLog(directory);
    await appendRecords(log, 1);
    await log.close();
    expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "log"]);
  });

  test.each<[string, { readonly [name: string]: string }]>([
    ["its process lives", {}],
    ["it is on another machine", { boot: "00000000-0000-0000-0000-000000000000", host: "elsewhere" }],
  ])("is not taken over where %s", async (_, members) => {
    const directory = await freshLog();
    await forgeOwner(directory, members);
    const before = await readFile(join(directory, "OWNER"), "utf8");
    const host = members.host ?? hostname();
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_LOCKED", holder: { host } });
    expect(await readFile(join(directory, "OWNER"), "utf8")).toBe(before);
  });

  test("is not taken over where its OWNER file is damaged", async () => {
    const directory = await freshLog();
    for (const content of ["", "heartwood owner 1\n", "pid 4194304\n"]) {
      await writeFile(join(directory, "OWNER"), content);
      const error = await refusal(openLevelLog(directory));
      expect(error).toMatchObject({ code: "STORE_LOCKED", holder: undefined, place: { file: "OWNER" } });
    }
  });
});

test("an owner whose file another one replaced before the database was open gives way and leaves that file", async () => {
  const directory = await freshLog();
  const ownership = await Ownership.acquire(directory, false);
  await forgeOwner(directory, {});
  const forged = await readFile(join(directory, "OWNER"), "utf8");
  expect(await refusal(ownership.confirm(1n))).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
  await ownership.release();
  expect(await readFile(join(directory, "OWNER"), "utf8")).toBe(forged);
});

test("an owner whose file another one has just moved aside puts it there again", async () => {
  const directory = await freshLog();
  const ownership = await Ownership.acquire(directory, false);
  await rm(join(directory, "OWNER"));
  await ownership.confirm(7n);
  expect(await readFile(join(directory, "OWNER"), "utf8")).toMatch(/^epoch 7$/m);
  await ownership.release();
  expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "log"]);
});

describe("the lock of a process on another machine", () => {
  const elsewhere = { host: "far-away", boot: "another" };

  test("is told as such, and removed for whoever names its host", async () => {
    const directory = await freshLog();
    await forgeOwner(directory, elsewhere);
    const holder = { host: "far-away", pid: process.pid, since: "2020-01-01T00:00:00.000Z", readOnly: false };
    expect(await readLock(directory)).toEqual({ holder, state: "elsewhere" });
    const locked = await refusal(openLevelLog(directory));
    expect(locked).toMatchObject({ code: "STORE_LOCKED", holder });
    expect(locked.message).toMatch(/heartwood log unlock$/);
    expect(await refusal(unlockStore(directory, { host: hostname() }))).toMatchObject({ code: "STORE_LOCKED", holder });
    expect(await unlockStore(directory, { host: "far-away" })).toEqual(holder);
    expect(await readdir(directory)).toEqual(["HEAD", "HEARTWOOD", "log"]);
    await (await openLevelLog(directory)).close();
  });

  test("is all that is removed: a holder of this machine stays, one that is gone is left to the next opening", async () => {
    const directory = await freshLog();
    expect(await readLock(directory)).toBeUndefined();
    expect(await unlockStore(directory, { host: hostname() })).toBeUndefined();
    const log = await openLevelLog(directory);
    expect(await readLock(directory)).toMatchObject({ state: "here", holder: { pid: process.pid, readOnly: false } });
    for (const host of [hostname(), "far-away"])
      expect((await refusal(unlockStore(directory, { host }))).code).toBe("STORE_LOCKED");
    await appendRecords(log, 1);
    await log.close();
    await forgeOwner(directory, { pid: "4194304" });
    expect(await readLock(directory)).toMatchObject({ state: "gone" });
    expect(await unlockStore(directory, { host: hostname() })).toBeUndefined();
    expect(await readdir(directory)).toContain("OWNER");
    await (await openLevelLog(directory)).close();
  });

  test("stays where the directory has another owner by the time it is removed", async () => {
    const directory = await freshLog();
    await forgeOwner(directory, elsewhere);
    const seen = await readOwner(directory);
    await forgeOwner(directory, { host: "third", boot: "third", token: "cd".repeat(16) });
    if (seen === undefined) throw new Error("expected an owner, got none");
    expect((await refusal(displaceOwner(directory, seen))).holder?.host).toBe("third");
    expect((await readLock(directory))?.holder.host).toBe("third");
    expect(await readdir(directory)).toHaveLength(4);
  });
});

test("a process knows its own identity, and is not gone", async () => {
  const self = await currentProcess();
  expect(self.pid).toBe(process.pid);
  expect(await isCertainlyGone(self)).toBe(false);
  expect(await isCertainlyGone({ ...self, startTime: `${self.startTime}0` })).toBe(true);
});

async function openInThread(directory: string): Promise<unknown> {
  const worker = new Worker(openerPath, { workerData: { mode: "try", directory } });
  try {
    return await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  } finally {
    await worker.terminate();
  }
}
