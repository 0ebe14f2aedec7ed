import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { createLevelLog, importLog, openLevelLog } from "heartwood/store";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { formatBar } from "../../cli/progress-bar.ts";
import { formatRecord } from "../../cli/record-view.ts";
import { styleFor } from "../../cli/style.ts";
import type { RecordView } from "../../engine/index.ts";
import { Record } from "../../proto/generated/log.ts";
import { forgeOwner } from "../store/helpers.ts";
import { runHere } from "./heartwood.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));
const RECORDS = readFileSync("test/vectors/golden/records.jsonl", "utf8").trimEnd().split("\n").length;
const EPOCH: string = JSON.parse(readFileSync("test/vectors/golden/status.json", "utf8")).epoch;

let shared: string;
beforeAll(async () => {
  shared = join(mkdtempSync(join(tmpdir(), "heartwood-cli-log-")), "wallet");
  await importLog(GOLDEN, shared);
  return () => rmSync(join(shared, ".."), { recursive: true });
});

/** A place for a directory of this test alone. */
function fresh(): string {
  const parent = mkdtempSync(join(tmpdir(), "heartwood-cli-log-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  return join(parent, "wallet");
}

/** The wallet of the golden log, for one test alone. */
async function golden(): Promise<string> {
  const directory = fresh();
  await importLog(GOLDEN, directory);
  return directory;
}

/** Changes one byte of a file. */
async function damage(path: string, at: number): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0xff]), 0, 1, at);
  await file.close();
}

test("log verify says where a whole log ends, and ends with 0", async () => {
  const { code, stdout } = await runHere(["log", "verify", shared]);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^end +record ${RECORDS}, commit \\d+, epoch ${EPOCH}$`, "m"));
  expect(stdout).toMatch(/^steps +come out as recorded$/m);
  const json = await runHere(["log", "verify", shared, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, head: { seq: String(RECORDS), epoch: EPOCH }, borne: [] });
});

test("log verify names the code and the place of damage, and ends with 1", async () => {
  const directory = await golden();
  const files = (await readdir(join(directory, "log"))).map((name) => join(directory, "log", name));
  const [largest = ""] = files.sort((a, b) => statSync(b).size - statSync(a).size);
  await damage(largest, 20_000);
  const { code, stderr } = await runHere(["log", "verify", directory]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^heartwood: STORE_[A-Z_]+: .* \(log, record \d+.*\)$/m);
  const json = await runHere(["log", "verify", directory, "--json"]);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: expect.stringMatching(/^STORE_/), place: { file: "log" } } });
});

test("log verify names a step that does not come out as recorded, with its record", async () => {
  const directory = fresh();
  await createLevelLog(directory);
  {
    await using log = await openLevelLog(directory);
    const record = { seq: 1n, epoch: 1n, machine: "wallet", revision: 1, instance: "wallet/main", version: 1n, schema: 1 };
    const event = Buffer.from('{"mailboxPubkey":"03","serverPubkey":"02"}');
    const outcome = { state: "Pinned", contextChange: Buffer.from("{}"), effects: [], stateDigest: new Uint8Array(16) };
    const body = Record.encode(Record.fromPartial({ ...record, type: "server.pinned", event, outcome })).finish();
    await log.append({ epoch: 1n, expectedSeq: 1n, bodies: [body] });
  }
  const { code, stderr } = await runHere(["log", "verify", directory]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^heartwood: LOG_[A-Z]+: record 1 .* \(record 1\)$/m);
});

test("log verify names damage that opening bears, and ends with 0", async () => {
  const directory = await golden();
  await damage(join(directory, "HEAD"), 40);
  const { code, stdout } = await runHere(["log", "verify", directory]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^HEAD_SLOT_DAMAGED: /m);
  {
    await using log = await openLevelLog(directory);
    await log.saveSnapshot({ seq: 5n, parts: [Buffer.from("state")] });
  }
  const [name = ""] = await readdir(join(directory, "snapshots"));
  expect((await runHere(["log", "verify", directory])).stdout).not.toContain("SNAPSHOT");
  await damage(join(directory, "snapshots", name), 50);
  const again = await runHere(["log", "verify", directory, "--json"]);
  expect(again.code).toBe(0);
  expect(JSON.parse(again.stdout).borne).toEqual([
    { code: "SNAPSHOT_UNUSABLE", message: expect.any(String), place: { file: "snapshots", seq: "5" } },
  ]);
});

test("log show prints a line for each record, from where and of whom it is asked", async () => {
  const { stdout } = await runHere(["log", "show", shared]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(RECORDS);
  expect(lines[0]).toMatch(/^ +1 {2}2026-09-21 14:13:20Z {2}wallet\/main +wallet\.created +→ Unpinned$/);
  const applied = lines.find((line) => line.includes("→ Applied"));
  expect(applied).toMatch(/package\.vetted +→ Applied {2}consumeMessage, registerVtxos, postRecoveryIds$/);
  const tail = await runHere(["log", "show", shared, "--from", "80"]);
  expect(tail.stdout.trimEnd().split("\n")).toEqual(lines.slice(79));
  expect((await runHere(["log", "show", shared, "--from", String(RECORDS + 1)])).stdout).toBe("");
  const mailbox = await runHere(["log", "show", shared, "--instance", "mailbox/main"]);
  expect(mailbox.stdout.trimEnd().split("\n")).toEqual(lines.filter((line) => line.includes("mailbox/main")));
  const messages = await runHere(["log", "show", shared, "--instance", "message", "--from", "40"]);
  expect(messages.stdout.trimEnd().split("\n")).toEqual(lines.slice(39).filter((line) => line.includes("  message/")));
});

test("log show --json prints everything, bytes as hex and 64-bit numbers as texts", async () => {
  const { stdout } = await runHere(["log", "show", shared, "--json"]);
  const records = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(records).toHaveLength(RECORDS);
  expect(records[0]).toMatchObject({
    seq: "1",
    commit: "1",
    epoch: "1",
    atMs: 1_790_000_000_000,
    instance: "wallet/main",
    event: { network: "regtest", serverUrl: "https://ark.example" },
    change: { createdAtMs: 1_790_000_000_000 },
    stateDigest: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  const received = records.find(({ type }) => type === "message.received");
  expect(received.event.checkpoint).toMatch(/^[0-9]{19}$/);
  expect(received.blobs).toEqual([{ digest: received.event.digest, data: expect.stringMatching(/^[0-9a-f]{500,}$/) }]);
});

test("log show refuses a number that is none, a directory that is none, and one that is open", async () => {
  expect((await runHere(["log", "show", shared, "--from", "x"])).code).toBe(2);
  expect((await runHere(["log", "show", fresh()])).stderr).toMatch(/^heartwood: STORE_NOT_FOUND: /);
  await using _log = await openLevelLog(shared, { readOnly: true });
  expect((await runHere(["log", "show", shared])).stderr).toMatch(/^heartwood: STORE_LOCKED: /);
});

test("log export and log import move a wallet, and its status is the same there", async () => {
  const [file, copy] = [`${fresh()}.export`, fresh()];
  const exported = await runHere(["log", "export", shared, file]);
  expect([exported.code, exported.stdout]).toEqual([0, `wrote ${RECORDS} records of log ${"676f6c64".repeat(8)} to ${file}\n`]);
  expect(readFileSync(file, "utf8")).toBe(readFileSync(GOLDEN, "utf8"));
  const imported = await runHere(["log", "import", file, copy, "--json"]);
  expect(imported.code).toBe(0);
  expect(JSON.parse(imported.stdout)).toMatchObject({ head: { seq: String(RECORDS), epoch: EPOCH } });
  expect((await runHere(["status", copy, "--json"])).stdout).toBe((await runHere(["status", shared, "--json"])).stdout);
});

test("log export and log import replace nothing, and a cut file is refused with its code", async () => {
  const [file, copy] = [`${fresh()}.export`, fresh()];
  writeFileSync(file, readFileSync(GOLDEN, "utf8").slice(0, -10));
  const cut = await runHere(["log", "import", file, copy]);
  expect([cut.code, cut.stdout, existsSync(copy)]).toEqual([1, "", false]);
  expect(cut.stderr).toMatch(/^heartwood: STORE_BAD_EXPORT: /);
  expect((await runHere(["log", "import", GOLDEN, shared])).stderr).toMatch(/^heartwood: STORE_EXISTS: /);
  expect((await runHere(["log", "export", shared, file])).stderr).toMatch(/^heartwood: STORE_EXISTS: /);
  expect((await runHere(["log", "export", copy, `${file}.2`])).stderr).toMatch(/^heartwood: STORE_NOT_FOUND: /);
  expect(existsSync(`${file}.2`)).toBe(false);
});

test("log stats counts every record and byte, and draws the growth", async () => {
  const { code, stdout } = await runHere(["log", "stats", shared]);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^records +${RECORDS} in \\d+ commits, epoch ${EPOCH}$`, "m"));
  expect(stdout).toMatch(/^ {2}message +message\.received +\d+ +[0-9,]+ +\d+ % +[0-9,]+$/m);
  expect(stdout).toMatch(/^Growth, (a|an|\d+) \w+ a line$/m);
  expect(stdout).toMatch(/^ {2}2026-09-21 \d\d:\d\d:00Z {2}█+ +[0-9,]+ +\d+$/m);
  const { kinds, growth, bytes, directoryBytes } = JSON.parse((await runHere(["log", "stats", shared, "--json"])).stdout);
  const sum = (items: { records: number; bytes: number }[], of: "records" | "bytes") =>
    items.reduce((total, item) => total + item[of], 0);
  expect([sum(kinds, "records"), sum(growth, "records")]).toEqual([RECORDS, RECORDS]);
  expect([sum(kinds, "bytes"), sum(growth, "bytes")]).toEqual([bytes, bytes]);
  expect(directoryBytes).toBeGreaterThan(8_192);
  const empty = fresh();
  await createLevelLog(empty);
  expect((await runHere(["log", "stats", empty])).stdout).toMatch(/^records +0 in 0 commits, epoch 0$/m);
});

/** Puts an OWNER file there, as a process of another machine leaves it. */
async function lockFromElsewhere(directory: string): Promise<void> {
  const lines = `heartwood owner 1\nhost far\u202eaway\nboot b\npid 7\nstart 1\nsince 2026-01-01T00:00:00.000Z\nmode write\nepoch 1\ntoken ${"a".repeat(32)}\n`;
  writeFileSync(join(directory, "OWNER"), `${lines}crc32 ${crc32(lines).toString(16).padStart(8, "0")}\n`);
}

test("log unlock shows the holder, and removes the lock of another machine's process by its name only", async () => {
  const directory = await golden();
  expect(await runHere(["log", "unlock", directory])).toMatchObject({ code: 0, stdout: "nobody has it open\n" });
  await lockFromElsewhere(directory);
  const shown = await runHere(["log", "unlock", directory]);
  expect(shown.code).toBe(1);
  expect(shown.stdout).toBe("process 7 on far\\u{202e}away opened it for writing at 2026-01-01T00:00:00.000Z\n");
  expect(shown.stderr).toContain("--host far\\u{202e}away");
  const wrong = await runHere(["log", "unlock", directory, "--host", "near"]);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/^heartwood: STORE_LOCKED: /)]);
  expect((await runHere(["status", directory])).code).toBe(1);
  const right = await runHere(["log", "unlock", directory, "--host", "far\u202eaway"]);
  expect([right.code, right.stdout]).toEqual([0, expect.stringMatching(/its lock was removed\n$/)]);
  expect((await runHere(["status", directory])).code).toBe(0);
});

test("log unlock leaves a living process of this machine its lock", async () => {
  const directory = await golden();
  await using log = await openLevelLog(directory);
  const { code, stdout } = await runHere(["log", "unlock", directory, "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ lock: { state: "here", holder: { pid: process.pid } }, unlocked: false });
  const forced = await runHere(["log", "unlock", directory, "--host", hostname()]);
  expect([forced.code, forced.stderr]).toEqual([1, expect.stringMatching(/^heartwood: STORE_LOCKED: /)]);
  expect(existsSync(join(directory, "OWNER"))).toBe(true);
  expect(log.head().seq).toBe(BigInt(RECORDS));
});

test("what wants to use a wallet that is open is told which process to end, or how to find out", async () => {
  const directory = await golden();
  const words = join(directory, "..", "words");
  writeFileSync(words, `${"abandon ".repeat(11)}about\n`, { mode: 0o600 });
  const paying = ["pay", directory, "lnbc1", "--mnemonic-file", words];
  {
    await using _log = await openLevelLog(directory);
    const { code, stderr } = await runHere(paying);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`STORE_LOCKED: .*\nOne process .* kill ${process.pid}\\);.*\n$`)),
    ]);
  }
  await lockFromElsewhere(directory);
  expect((await runHere(paying)).stderr).toMatch(/STORE_LOCKED: .*\nWho has it open, .*: heartwood log unlock DIR\n$/);
});

test("log unlock says of a process that cannot be seen that it looks gone, not that it is", async () => {
  const directory = await golden();
  await forgeOwner(directory, { pid: "4194304" });
  const { code, stdout } = await runHere(["log", "unlock", directory]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/it looks gone: .* unless it lives in another container\n$/)]);
});

const plain = styleFor({});

test("a record whose texts came from elsewhere is shown on one line that moves no cursor", () => {
  const evil = "a\u001b[2J\n\u202e";
  const record = {
    seq: 7n,
    atMs: 0,
    instance: evil,
    type: evil,
    state: evil,
    effects: [{ id: "7.0", type: evil, params: {} }],
  } as unknown as RecordView;
  const line = formatRecord(record, plain);
  expect(line.match(/a\\u\{1b\}\[2J\\n\\u\{202e\}/g)).toHaveLength(4);
  expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test("a narrow terminal gets long names shortened", () => {
  const record = {
    seq: 7n,
    atMs: 0,
    instance: `message/${"1".repeat(19)}/${"a".repeat(16)}`,
    type: "t",
    state: "S",
    effects: [],
  };
  expect(formatRecord(record as unknown as RecordView, plain)).toContain(record.instance);
  expect(formatRecord(record as unknown as RecordView, plain, 100)).toContain("1/aaaaaaa…  t");
});

test("a bar is as long as its share", () => {
  expect(formatBar(5_000n, 20_000n, "records", 8)).toBe("██░░░░░░  25 %, 5,000 of 20,000 records");
  expect(formatBar(0n, 0n, "bytes", 4)).toBe("████ 100 %, 0 of 0 bytes");
  expect(formatBar(5n, 4n, "records", 4)).toBe("████ 100 %, 5 of 4 records");
});
