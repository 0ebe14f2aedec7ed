import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fromHex } from "../../store/bytes.ts";
import { HeadFile } from "../../store/head-file.ts";
import { type OpenLevelLogOptions, openLevelLog, verifyStore } from "../../store/index.ts";
import { readOwner } from "../../store/owner-file.ts";
import { currentProcess } from "../../store/process-identity.ts";
import { appendRecords, contents, copyOf, damageRecord, forgeOwner, freshLog, refusal, removeRecord } from "./helpers.ts";

const LAST = 30n;

/** A log of 30 records with snapshots of the 10th and the 20th, closed in order. */
async function logWithSnapshots(...seqs: readonly bigint[]): Promise<string> {
  const directory = await freshLog();
  await using log = await openLevelLog(directory);
  await appendRecords(log, Number(LAST));
  for (const seq of seqs) await log.saveSnapshot({ seq, parts: [fromHex("aa")] });
  return directory;
}

/** Makes it look as if the last writer had died: of this run of the machine unless told otherwise. */
async function leaveUnclean(directory: string, owner: Readonly<Record<string, string>> = {}, failed = false): Promise<void> {
  const head = await HeadFile.open(join(directory, "HEAD"), false);
  await head.write({ ...head.state, clean: false });
  if (failed) await head.fail();
  const epoch = String(head.state.epoch);
  await head.close();
  const { bootId } = await currentProcess();
  await forgeOwner(directory, { pid: "4194304", boot: bootId, epoch, mode: "write", ...owner });
}

/** Lets the look at a directory be over without having given it free. */
async function makeGone(directory: string): Promise<void> {
  const { token = "" } = (await readOwner(directory)) ?? {};
  await forgeOwner(directory, { pid: "4194304", mode: "read", token });
}

/** What an opening that reads only what is needed says of damage at a record. */
async function outcome(directory: string, seq: bigint, options: OpenLevelLogOptions = {}): Promise<unknown> {
  await damageRecord(directory, seq);
  try {
    await using log = await openLevelLog(directory, { verify: "needed", ...options });
    expect((await refusal(contents(log))).place).toMatchObject({ seq });
    return log.unverifiedUpTo;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

describe("an opening that reads only what is needed", () => {
  test("after an orderly close begins at the newest snapshot", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    expect(await outcome(directory, 19n)).toBe(0n);
    expect(await outcome(await logWithSnapshots(10n, 20n), 21n)).toBe("STORE_BAD_FRAME");
    expect(await outcome(await logWithSnapshots(10n, 20n), 15n, { readOnly: true })).toBe(0n);
    expect(await outcome(await logWithSnapshots(), 5n)).toBe("STORE_BAD_FRAME");
  });

  test("after its owner died begins at the older snapshot, and says what it left unread", async () => {
    const lived = async () => {
      const directory = await logWithSnapshots(10n, 20n);
      await leaveUnclean(directory);
      return directory;
    };
    expect(await outcome(await lived(), 9n)).toBe(10n);
    expect(await outcome(await lived(), 11n)).toBe("STORE_BAD_FRAME");
    expect(await outcome(await lived(), 11n, { readOnly: true })).toBe("STORE_BAD_FRAME");
  });

  test("after its owner died reads no more than that where somebody looked meanwhile, also if the look was killed", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    await leaveUnclean(directory);
    const left = await readFile(join(directory, "OWNER"));
    const names = await readdir(directory);
    const [look, killed] = [await openLevelLog(directory, { readOnly: true }), await copyOf(directory, "killed")];
    await look.close();
    expect(await readFile(join(directory, "OWNER"))).toEqual(left);
    expect(await readdir(directory)).toEqual(names);

    // As the look was when it was copied, twice over.
    await makeGone(killed);
    const second = await openLevelLog(killed, { readOnly: true });
    const killedTwice = await copyOf(killed, "killed-twice");
    await second.close();
    expect(await readFile(join(killed, "OWNER"))).toEqual(left);
    expect(await readdir(killed)).toEqual(names);
    await makeGone(killedTwice);
    for (const place of [directory, killedTwice]) expect(await outcome(place, 9n)).toBe(10n);
    expect((await readdir(killedTwice)).filter((name) => name.startsWith("OWNER"))).toEqual([]);
  });

  test("with a single snapshot after its owner died reads everything", async () => {
    const directory = await logWithSnapshots(20n);
    await leaveUnclean(directory);
    expect(await outcome(directory, 2n)).toBe("STORE_BAD_FRAME");
  });

  test.each([
    ["the machine was started anew", { boot: "00000000-0000-0000-0000-000000000000" }],
    ["the owner that died had not verified it itself", { epoch: "2" }],
    ["the owner that died only read", { mode: "read" }],
  ])("reads everything where %s", async (_, owner) => {
    const directory = await logWithSnapshots(10n, 20n);
    await leaveUnclean(directory, owner);
    expect(await outcome(directory, 2n)).toBe("STORE_BAD_FRAME");
  });

  test("reads everything where a write had failed before the owner died", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    await leaveUnclean(directory, {}, true);
    expect(await outcome(directory, 2n)).toBe("STORE_BAD_FRAME");
  });

  test.each([true, false])("counts as orderly only if the older part was read meanwhile (%s)", async (isRead) => {
    const directory = await logWithSnapshots(10n, 20n);
    await leaveUnclean(directory);
    const log = await openLevelLog(directory, { verify: "needed" });
    if (isRead) await contents(log);
    await log.close();
    const head = await HeadFile.open(join(directory, "HEAD"), true);
    await head.close();
    expect(head.state.clean).toBe(isRead);
  });

  test("reads everything after damage was found, also when that log was closed in order", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    await damageRecord(directory, 2n);
    const log = await openLevelLog(directory, { verify: "needed" });
    expect(await refusal(log.get(2n))).toMatchObject({ code: "STORE_BAD_FRAME" });
    await log.close();
    expect(await refusal(openLevelLog(directory, { verify: "needed" }))).toMatchObject({ code: "STORE_BAD_FRAME" });
  });

  test("reads everything where nobody knows how it was left", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    const head = await HeadFile.open(join(directory, "HEAD"), false);
    await head.write({ ...head.state, clean: false });
    await head.close();
    expect(await outcome(directory, 2n)).toBe("STORE_BAD_FRAME");
  });

  test("reads only the end for a reader of everything, who meets the damage; the end itself is compared with HEAD", async () => {
    const options = { verify: "end", readOnly: true } as const;
    expect(await outcome(await logWithSnapshots(), 5n, options)).toBe(LAST);
    expect(await outcome(await logWithSnapshots(), LAST, options)).toBe("STORE_BAD_FRAME");
    const directory = await logWithSnapshots();
    await removeRecord(directory, LAST);
    expect(await refusal(openLevelLog(directory, options))).toMatchObject({ code: "STORE_MISSING_TAIL" });
  });

  test("notices a missing end, whatever it begins with", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    await removeRecord(directory, LAST);
    expect(await refusal(openLevelLog(directory, { verify: "needed" }))).toMatchObject({ code: "STORE_MISSING_TAIL" });
  });

  test("goes on where the log ends at its newest snapshot", async () => {
    const directory = await logWithSnapshots(10n, LAST);
    await using log = await openLevelLog(directory, { verify: "needed" });
    await appendRecords(log, 3);
    expect(await contents(log)).toHaveLength(33);
  });

  test("verifies everything unless asked", async () => {
    const directory = await logWithSnapshots(10n, 20n);
    await damageRecord(directory, 5n);
    expect(await refusal(openLevelLog(directory))).toMatchObject({ code: "STORE_BAD_FRAME", place: { seq: 5n } });
  });
});

describe("a snapshot that cannot be read", () => {
  const spoiled: Readonly<Record<string, (snapshots: string, file: string) => Promise<void>>> = {
    "is a directory": async (_, file) => {
      await rm(file);
      await mkdir(file);
    },
    "is a link to itself": async (_, file) => {
      await rm(file);
      await symlink(file, file);
    },
    "lies where a file is": async (snapshots) => {
      await rm(snapshots, { recursive: true });
      await writeFile(snapshots, "");
    },
  };

  test.each(Object.entries(spoiled))("is done without where it %s", async (_, spoil) => {
    const directory = await logWithSnapshots(10n, 20n);
    await spoil(join(directory, "snapshots"), join(directory, "snapshots", "20".padStart(20, "0")));
    await using log = await openLevelLog(directory, { verify: "needed" });
    expect(await contents(log)).toHaveLength(Number(LAST));
    for await (const { seq } of log.snapshots()) expect(seq).toBe(10n);
    await log.close();
    const { borne } = await verifyStore(directory);
    expect(borne.every(({ code }) => code === "SNAPSHOT_UNUSABLE")).toBe(true);
  });

  test("is removed by the next one if it was never finished", async () => {
    const directory = await logWithSnapshots(10n);
    await writeFile(join(directory, "snapshots", `${"12".padStart(20, "0")}.new`), "half");
    await using log = await openLevelLog(directory);
    await log.saveSnapshot({ seq: 20n, parts: [] });
    expect(await readdir(join(directory, "snapshots"))).toEqual(["10", "20"].map((name) => name.padStart(20, "0")));
  });
});
