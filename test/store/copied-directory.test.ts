import { cp, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { identityOf, isCopy, isSeenThere } from "../../store/directory-identity.ts";
import { openLevelLog, readLock, unlockStore } from "../../store/index.ts";
import { openToRead } from "../../store/open-to-read.ts";
import { appendRecords, contents, copyOf, forgeOwner, freshLog, refusal, startOpener } from "./helpers.ts";

describe("a copy of a directory that somebody has open", () => {
  test("can be looked at, but not be written to, and the owner keeps what it has", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    await appendRecords(log, 5);
    const copy = await copyOf(directory, "copy");
    const copied = await readFile(join(copy, "OWNER"));
    expect(await readLock(copy)).toMatchObject({ state: "copied", holder: { pid: process.pid } });
    const refused = await refusal(openLevelLog(copy));
    expect(refused).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
    expect(refused.message).toContain(`it has ${directory} open, of which this one is a copy`);
    expect((await refusal(unlockStore(copy, { host: hostname() }))).code).toBe("STORE_LOCKED");
    const [read, opener] = [await openToRead(copy), startOpener("try", directory)];
    expect(await contents(read)).toEqual(await contents(log));
    expect(await opener.next()).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid } });
    await read.close();
    expect(await readFile(join(copy, "OWNER"))).toEqual(copied);
    expect(await readdir(copy)).toEqual(["HEAD", "HEARTWOOD", "OWNER", "log"]);
    expect((await refusal(openLevelLog(copy))).code).toBe("STORE_LOCKED");
    expect(await readLock(directory)).toMatchObject({ state: "here" });
    await appendRecords(log, 1);
    await log.close();
  });

  test("is no place for a wallet either after a look at it that was killed, at whatever point", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    const copy = await copyOf(directory, "copy");
    const look = await openToRead(copy);
    const left = await copyOf(copy, "left");
    await look.close();
    const killed = async () => forgeOwner(left, { pid: "4194304", mode: "read" });
    for (const end of [killed, () => rm(join(left, "OWNER"))]) {
      await end();
      const refused = await refusal(openLevelLog(left));
      expect(refused).toMatchObject({ code: "STORE_LOCKED", holder: { pid: process.pid, readOnly: false } });
      expect(refused.message).toContain(`it has ${directory} open, of which this one is a copy`);
      await (await openToRead(left)).close();
      expect((await refusal(openLevelLog(left))).code).toBe("STORE_LOCKED");
      await killed();
    }
    await log.close();
  });

  test("is told from the directory itself under another name, or with its old name given to a copy", async () => {
    const directory = await freshLog();
    const log = await openLevelLog(directory);
    const moved = `${directory}-moved`;
    await rename(directory, moved);
    for (const wayBack of [async () => {}, () => cp(moved, directory, { recursive: true })]) {
      await wayBack();
      expect(await readLock(moved)).toMatchObject({ state: "here" });
      expect((await refusal(openLevelLog(moved, { readOnly: true }))).code).toBe("STORE_LOCKED");
    }
    await rm(directory, { recursive: true });
    await rename(moved, directory);
    await log.close();
  });

  test("is not what shows what is written into it in the original too, whatever numbers it has", async () => {
    const directory = await freshLog();
    const copy = await copyOf(directory, "copy");
    const original = await identityOf(directory);
    await symlink(directory, `${directory}-link`);
    expect(await isSeenThere(`${directory}-link`, original)).toBe(true);
    expect(await isSeenThere(copy, original)).toBe(false);
    expect(await isSeenThere(join(copy, "missing"), original)).toBe(true);
    expect([await isCopy(`${directory}-link`, original), await isCopy(copy, original)]).toEqual([false, true]);
    expect(await readdir(copy)).toEqual(await readdir(directory));
  });
});
