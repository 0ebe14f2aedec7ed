import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importLog } from "heartwood/store";
import { Level } from "level";
import { expect, onTestFinished, test } from "vitest";
import { runHere } from "./heartwood.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));
const RECORDS = readFileSync("test/vectors/golden/records.jsonl", "utf8").trimEnd().split("\n").length;

/** The wallet of the golden log, for one test alone. */
async function golden(): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), "heartwood-cli-salvage-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  await importLog(GOLDEN, join(parent, "wallet"));
  return join(parent, "wallet");
}

/** Damages the frame of one record. */
async function damageRecord(directory: string, seq: number): Promise<void> {
  const level = new Level<Uint8Array, Uint8Array>(join(directory, "log"), { keyEncoding: "view", valueEncoding: "view" });
  const key = Buffer.from(`65${seq.toString(16).padStart(16, "0")}`, "hex");
  const frame = Buffer.from((await level.get(key)) ?? []);
  frame[20] = (frame[20] ?? 0) ^ 1;
  await level.put(key, frame, { sync: true });
  await level.close();
}

test("commands that meet damage name log salvage, which makes a wallet of what is whole and says what is lost", async () => {
  const directory = await golden();
  await damageRecord(directory, 60);
  for (const command of [["status"], ["log", "verify"], ["log", "show"]]) {
    const refused = await runHere([...command, directory]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/STORE_BAD_FRAME.*\n.*heartwood log salvage DIR NEWDIR/),
    ]);
  }
  const to = `${directory}-salvaged`;
  const { code, stdout } = await runHere(["log", "salvage", directory, to]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^kept +5\d records, \d+ commits$/m);
  expect(stdout).toMatch(new RegExp(`^lost +\\d+ records, \\d+ to ${RECORDS}$`, "m"));
  expect(stdout).toMatch(/^ {2}STORE_BAD_FRAME: .*CRC/m);
  expect(stdout).toMatch(new RegExp(`^ {2}records 61 to ${RECORDS}: .*connection`, "m"));
  expect(stdout).toMatch(/^ {2}addresses that were given out/m);
  expect((await runHere(["log", "verify", to])).code).toBe(0);
  const shown = await runHere(["status", to]);
  expect(shown.stdout).toMatch(/^salvaged +reconciling: kept up to record 5\d, .* to ask the server about; connect once$/m);

  const json = await runHere(["log", "salvage", directory, `${to}-json`, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    directory: `${to}-json`,
    damage: [{ code: "STORE_BAD_FRAME", place: { file: "log", seq: "60" } }],
    lost: { to: String(RECORDS) },
    isEndKnown: true,
    keyGap: expect.any(Number),
  });
  const again = await runHere(["log", "salvage", to, `${to}-again`, "--json"]);
  expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([1, "STORE_UNDAMAGED"]);
  expect(again.stderr).not.toContain("log salvage");
});
