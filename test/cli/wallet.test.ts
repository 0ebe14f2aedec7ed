import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Heartwood } from "heartwood";
import { type Simulator, startSimulator } from "heartwood/simulator";
import { Status } from "nice-grpc-common";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import { Running, run, runHere } from "./heartwood.ts";

const MNEMONIC = `${"abandon ".repeat(11)}about`;
const OTHER_MNEMONIC = `${"zoo ".repeat(11)}wrong`;
/** Nobody listens there, and no system gives this port to whoever asks for any. */
const NOBODY = "http://127.0.0.1:2";

let simulator: Simulator;
let home: string;
let wallet: string;
beforeEach(async () => {
  simulator = await startSimulator({ seed: "cli" });
  home = mkdtempSync(join(tmpdir(), "heartwood-cli-"));
  wallet = join(home, "wallet");
  writeFileSync(join(home, "words"), `${MNEMONIC}\n`, { mode: 0o600 });
});
afterEach(async () => {
  await simulator.stop();
  rmSync(home, { recursive: true });
});

const withWords = () => ["--mnemonic-file", join(home, "words")];
const create = () => [
  wallet,
  "--create",
  "--server",
  simulator.serverUrl,
  "--chain",
  simulator.chainUrl,
  "--network",
  "regtest",
  ...withWords(),
];
const objects = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Makes the wallet and returns an address that pays it. */
async function created(): Promise<string> {
  await using made = await Heartwood.open({
    directory: wallet,
    create: true,
    mnemonic: () => MNEMONIC,
    server: simulator.serverUrl,
    chain: simulator.chainUrl,
    network: "regtest",
  });
  await made.sync();
  return await made.address();
}

async function expectRefusal(words: string[], code: string, exitCode = 1): Promise<string> {
  const refused = await run(words);
  expect(refused.stderr).toContain(`heartwood: ${code}: `);
  expect(refused.code).toBe(exitCode);
  return refused.stderr;
}

describe("restore", () => {
  it("makes a wallet of the mnemonic alone, says what could not be restored, and is no harm a second time", async () => {
    await simulator.pay(await created(), { amountsSats: [21_000n, 5_000n] });
    expect((await run(["sync", wallet, ...withWords()])).code).toBe(0);
    rmSync(wallet, { recursive: true });
    const words = ["restore", ...create().filter((word) => word !== "--create")];
    const first = await run([...words, "--json"]);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(objects(first.stdout)).toMatchObject([
      { state: "restored", isComplete: true, report: { ids: 2, credited: 2 }, balance: { totalSats: "26000" } },
    ]);
    const again = await run(words);
    expect(again.stdout).toContain("2 VTXOs in the backup: 2 restored, 0 spent, 0 in quarantine");
    expect(again.code).toBe(0);
  });

  it("names what could not be restored, and ends with 1", async () => {
    const { vtxos } = await simulator.pay(await created(), { amountsSats: [21_000n] });
    expect((await run(["sync", wallet, ...withWords()])).code).toBe(0);
    rmSync(wallet, { recursive: true });
    simulator.forgetVtxo(vtxos[0]?.id ?? "");
    const { code, stdout } = await run(["restore", ...create().filter((word) => word !== "--create")]);
    expect(stdout).toContain(`${vtxos[0]?.id}  SERVER_NOT_FOUND`);
    expect(code).toBe(1);
  });

  it("ends with its --timeout although the server is silent, and goes on when it is run again", async () => {
    await simulator.pay(await created(), { amountsSats: [21_000n] });
    rmSync(wallet, { recursive: true });
    simulator.faults.delay("ReadMailbox", 60_000);
    const words = ["restore", ...create().filter((word) => word !== "--create")];
    const { code, stdout, stderr } = await runHere([...words, "--timeout", "1"]);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(/^heartwood: TIMED_OUT: ended after 1 second /)]);
    simulator.faults.clear();
    const again = await runHere(words);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("21,000 sat")]);
  });

  it("with --as-is goes on without what gets no answer, and pays again; a wallet that is not restored is refused", async () => {
    const address = await created();
    expect(await runHere(["restore", wallet, "--as-is", ...withWords()])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("WALLET_EXISTS"),
    });
    await simulator.pay(address, { amountsSats: [21_000n] });
    // It never came through the mailbox, so only the server's copy can bring it back.
    const [lost] = await simulator.createPackage(address, { amountsSats: [5_000n] });
    const backup = encodeHex(WalletKeys.fromMnemonic(MNEMONIC).recoveryMailboxId);
    simulator.deliverMessage(backup, { $case: "recoveryVtxoIds", value: { vtxoIds: [encodeVtxoId(lost?.id ?? "")] } });
    rmSync(wallet, { recursive: true });
    simulator.faults.failNext("GetVtxo", Status.UNAVAILABLE, 1_000);
    const begun = await runHere(["restore", ...create().filter((word) => word !== "--create")]);
    expect([begun.code, begun.stdout]).toEqual([1, expect.stringMatching(/restore +under way/)]);
    const ended = await runHere(["restore", wallet, "--as-is", "--json", ...withWords()]);
    expect(objects(ended.stdout)).toMatchObject([
      { state: "restored", isComplete: false, report: { unresolvedIds: [{ id: lost?.id, code: "SERVER_UNREACHABLE" }] } },
    ]);
    expect(ended.code).toBe(1);
    const paid = await runHere(["send", wallet, address, "1000", ...withWords()]);
    expect([paid.code, paid.stdout]).toEqual([0, expect.stringContaining("balance 20,000 sat")]);
  });
});

describe("quarantine", () => {
  it("with --retry looks at what is held again, and says what is left", async () => {
    await simulator.pay(await created(), { amountsSats: [21_000n], unconfirmedAnchor: true });
    expect((await run(["sync", wallet, ...withWords()])).stdout).toContain("balance 0 sat");
    simulator.mine();
    simulator.faults.delay("Handshake", 60_000);
    const { code, stderr } = await runHere(["quarantine", wallet, "--retry", "--timeout", "1", ...withWords()]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^heartwood: TIMED_OUT: ended after 1 second /)]);
    simulator.faults.clear();
    const left = await run(["quarantine", wallet, "--retry", ...withWords()]);
    expect([left.code, left.stdout.trim()]).toEqual([0, "nothing is held"]);
  });
});

describe("sync and status", () => {
  it("receive what was paid, and tell the same in a later process without the mnemonic", async () => {
    const first = await run(["sync", ...create(), "--json"]);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    const address = String(objects(first.stdout).at(-1)?.address);
    await simulator.pay(address, { amountsSats: [21_000n, 5_000n] });
    simulator.deliverUnknown(address);

    const synced = await run(["sync", wallet, ...withWords(), "--json"]);
    expect([synced.code, synced.stderr]).toEqual([0, ""]);
    const events = objects(synced.stdout);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["payment.received", "message.ignored"]));
    expect(events.find(({ type }) => type === "payment.received")).toMatchObject({
      amountSats: "26000",
      seq: expect.stringMatching(/^\d+$/),
    });
    expect(events.at(-1)).toMatchObject({
      type: "sync.finished",
      caughtUp: true,
      messages: 2,
      applied: 1,
      ignored: 1,
      halted: null,
      balance: { totalSats: "26000" },
      address,
    });

    const status = await run(["status", wallet, "--json"]);
    expect([status.code, status.stderr]).toEqual([0, ""]);
    expect(JSON.parse(status.stdout)).toMatchObject({
      network: "regtest",
      fingerprint: "53bdf6b1",
      checkpoint: events.at(-1)?.checkpoint,
      balance: { totalSats: "26000", spendableSats: "26000" },
      vtxos: [{ amountSats: "21000" }, { amountSats: "5000" }],
      movements: [{ effectiveBalanceSats: "26000" }],
      quarantine: [],
    });
    expect(await run(["status", wallet, "--json"])).toEqual(status);

    const { stdout } = await run(["status", wallet]);
    for (const part of [
      /^wallet +53bdf6b1 on regtest$/m,
      /^balance +26,000 sat$/m,
      /^2 VTXOs$/m,
      / 21,000 sat /,
      /^1 movement$/m,
      /\+26,000 sat +2 VTXOs/,
      /^0 in quarantine$/m,
    ]) {
      expect(stdout).toMatch(part);
    }
  });

  it("a package that cannot be decided ends the sync with 1 and is received by the next", async () => {
    const address = await created();
    await simulator.pay(address, { amountsSats: [9_000n] });
    const halted = await run(["sync", wallet, ...withWords(), "--chain", NOBODY, "--json"]);
    expect(halted.code).toBe(1);
    expect(objects(halted.stdout).at(-1)).toMatchObject({
      type: "sync.finished",
      caughtUp: false,
      halted: { code: "CHAIN_UNREACHABLE" },
      balance: { totalSats: "0" },
    });
    expect((await run(["status", wallet])).stdout).toMatch(/^halted +CHAIN_UNREACHABLE at \d+$/m);

    const { code, stdout } = await run(["sync", wallet, ...withWords(), "--chain", simulator.chainUrl]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/payment\.received +\+9,000 sat in 1 VTXO$/m);
    expect(stdout).toMatch(/^balance 9,000 sat$/m);
    expect(stdout).toContain(`address ${address}`);
  });

  it("leave no word of the mnemonic in the directory or in what they print", async () => {
    writeFileSync(join(home, "words"), OTHER_MNEMONIC, { mode: 0o600 });
    const { stdout, stderr } = await run(["sync", ...create()]);
    const kept = readdirSync(wallet, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString("latin1"));
    expect(kept.length).toBeGreaterThan(2);
    for (const text of [stdout, stderr, ...kept]) expect(text).not.toMatch(/\bzoo zoo\b/);
  });
});

describe("run", () => {
  it("prints payments as they arrive, keeps others out, and closes the wallet on an interrupt", async () => {
    const running = new Running("run", ...create(), "--json");
    const { address } = JSON.parse(await running.line('"wallet.ready"')) as { address: string };
    for (const amountSats of [1_000n, 2_000n]) {
      await simulator.pay(address, { amountsSats: [amountSats] });
      await running.line(`"amountSats":"${amountSats}"`);
    }
    await expectRefusal(["sync", wallet, ...withWords()], "STORE_LOCKED");
    await simulator.pay(address, { amountsSats: [3_000n] });
    await running.line('"amountSats":"3000"');

    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, "closing (interrupt again to end at once)\n"]);
    const received = objects(stdout).filter(({ type }) => type === "payment.received");
    expect(received.map(({ amountSats }) => amountSats)).toEqual(["1000", "2000", "3000"]);
    expect(JSON.parse((await run(["status", wallet, "--json"])).stdout)).toMatchObject({ balance: { totalSats: "6000" } });

    const again = new Running("run", wallet, ...withWords(), "--json", "--from", "1");
    await again.line('"wallet.ready"');
    again.child.kill("SIGTERM");
    const replayed = objects((await again.ended).stdout).filter(({ seq }) => seq !== undefined);
    expect(replayed.filter(({ type }) => type === "payment.received")).toEqual(received);
    const seqs = replayed.map(({ seq }) => Number(seq));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });

  it("goes on after it was killed, without an event lost or told twice", async () => {
    const first = new Running("run", ...create(), "--json");
    const { address } = JSON.parse(await first.line('"wallet.ready"')) as { address: string };
    await simulator.pay(address, { amountsSats: [1_000n] });
    await first.line("payment.received");
    first.child.kill("SIGKILL");
    await first.ended;
    await simulator.pay(address, { amountsSats: [2_000n] });
    const { code, stdout } = await run(["sync", wallet, ...withWords(), "--json"]);
    expect(code).toBe(0);
    expect(objects(stdout).at(-1)).toMatchObject({ applied: 1, balance: { totalSats: "3000" } });
  });

  it("ends when the server is not the one that the wallet trusts", async () => {
    await created();
    simulator.rotateKeys("server");
    expect(await expectRefusal(["run", wallet, ...withWords()], "WALLET_STOPPED")).toContain("SERVER_KEY_CHANGED");
    await expectRefusal(["sync", wallet, ...withWords()], "SERVER_KEY_CHANGED");
  });
});

describe("bad input is refused by name and changes nothing", () => {
  it("a directory that is no wallet", async () => {
    await expectRefusal(["status", join(home, "none")], "STORE_NOT_FOUND");
    await expectRefusal(["sync", join(home, "none"), ...withWords()], "STORE_NOT_FOUND");
    const hostile = await runHere(["status", join(home, "x\u001b[2J\u202e\nheartwood: all is well")]);
    expect(hostile.stderr).toMatch(/^heartwood: STORE_NOT_FOUND: .*x\\u\{1b\}\[2J\\u\{202e\}\\nheartwood: .*\n$/);
    mkdirSync(wallet);
    writeFileSync(join(wallet, "letter.txt"), "dear");
    await expectRefusal(["status", wallet], "STORE_FOREIGN");
    await expectRefusal(["sync", ...create()], "STORE_FOREIGN");
    expect(readdirSync(wallet)).toEqual(["letter.txt"]);
  });

  it("a mnemonic that is missing, malformed or another wallet's", async () => {
    expect(await expectRefusal(["sync", wallet], "USAGE", 2)).toContain("--mnemonic-file FILE");
    await expectRefusal(["sync", wallet, "--mnemonic-file", join(home, "none")], "MNEMONIC_FILE_UNREADABLE");
    writeFileSync(join(home, "misspelt"), `${"abandon ".repeat(11)}abuot`, { mode: 0o600 });
    expect(await expectRefusal(["sync", ...create().slice(0, -1), join(home, "misspelt")], "BAD_MNEMONIC")).not.toMatch(
      /abandon|abuot/,
    );
    expect(readdirSync(home)).not.toContain("wallet");

    await created();
    const before = await run(["status", wallet, "--json"]);
    writeFileSync(join(home, "words"), OTHER_MNEMONIC);
    const refusal = await expectRefusal(["sync", wallet, ...withWords()], "WALLET_SEED_MISMATCH");
    expect(refusal).not.toContain("zoo");
    expect(await run(["status", wallet, "--json"])).toEqual(before);
  });

  it("another network, an address that is none, and a server that cannot be reached", async () => {
    await expectRefusal(["sync", ...create().map((word) => (word === "regtest" ? "mainnet" : word))], "USAGE", 2);
    await expectRefusal(["sync", ...create().map((word) => (word === simulator.serverUrl ? "ftp://x" : word))], "BAD_URL");
    await expectRefusal(["sync", ...create().map((word) => (word === simulator.chainUrl ? "ftp://x" : word))], "CHAIN_BAD_URL");
    expect(readdirSync(home)).not.toContain("wallet");

    await created();
    await expectRefusal(["sync", wallet, ...withWords(), "--network", "signet"], "WALLET_WRONG_NETWORK");
    await simulator.takeDown();
    const { code, stdout } = await run(["sync", wallet, ...withWords(), "--json"]);
    expect(code).toBe(1);
    expect(objects(stdout).at(-1)).toEqual({ error: { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.any(String) } });
  });

  it("a mnemonic file that others can read is taken with a warning", async () => {
    writeFileSync(join(home, "shared"), MNEMONIC, { mode: 0o644 });
    const { code, stderr } = await run(["sync", ...create().slice(0, -1), join(home, "shared")]);
    expect([code, stderr]).toEqual([0, `warning: others can read ${join(home, "shared")}; chmod 600 keeps it to you\n`]);
  });
});
