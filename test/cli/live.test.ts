import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulator, startSimulator } from "heartwood/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Running, run, runHere } from "./heartwood.ts";

let simulator: Simulator;
let home: string;
let wallet: string;
let running: Running;
let address: string;

/** A wallet that runs in a process of its own and has received something. */
beforeEach(async () => {
  simulator = await startSimulator({ seed: "live" });
  home = mkdtempSync(join(tmpdir(), "heartwood-live-"));
  wallet = join(home, "wallet");
  writeFileSync(join(home, "words"), `${"abandon ".repeat(11)}about\n`, { mode: 0o600 });
  const place = ["--create", "--server", simulator.serverUrl, "--chain", simulator.chainUrl, "--network", "regtest"];
  running = new Running("run", wallet, ...place, "--mnemonic-file", join(home, "words"), "--json");
  ({ address } = JSON.parse(await running.line('"wallet.ready"')) as { address: string });
  await receive(21_000n);
});
afterEach(async () => {
  running.child.kill("SIGKILL");
  await running.ended;
  await simulator.stop();
  rmSync(home, { recursive: true });
});

async function receive(amountSats: bigint): Promise<void> {
  await simulator.pay(address, { amountsSats: [amountSats] });
  await running.line(`"amountSats":"${amountSats}"`);
  // Nothing more is to be recorded once it is registered and backed up.
  let open: number;
  do ({ openCommands: open } = JSON.parse(await printed("status", wallet, "--json")) as { openCommands: number });
  while (open > 0);
}

/** Runs a command that must end with 0, and says what it printed. */
async function printed(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(words);
  expect([words, code, stderr]).toEqual([words, 0, ""]);
  return stdout;
}

test("every command that looks at a wallet works while it runs, and says the same once it has ended", async () => {
  const questions = [
    ["status", wallet, "--json"],
    ["log", "show", wallet, "--json"],
    ["log", "show", wallet, "--from", "3", "--instance", "message"],
    ["log", "verify", wallet, "--json"],
  ];
  const [status = "", records = "", shown = "", verified = ""] = await Promise.all(questions.map((words) => printed(...words)));
  expect(JSON.parse(status)).toMatchObject({ balance: { totalSats: "21000" }, connection: "Live" });
  expect(shown).toMatch(/package\.vetted +→ Applied/);
  expect(JSON.parse(verified)).toMatchObject({ ok: true, borne: [] });
  const [file, copy] = [join(home, "wallet.export"), join(home, "copy")];
  const { head } = JSON.parse(await printed("log", "export", wallet, file, "--json"));
  const statistics = JSON.parse(await printed("log", "stats", wallet, "--json"));
  expect(statistics.head).toEqual(head);
  await printed("log", "import", file, copy);

  await receive(5_000n);
  expect(JSON.parse(await printed("status", wallet, "--json"))).toMatchObject({ balance: { totalSats: "26000" } });
  running.child.kill("SIGKILL");
  await running.ended;
  expect(JSON.parse(await printed("status", wallet, "--json"))).toMatchObject({ balance: { totalSats: "26000" } });
  expect(await printed("log", "show", wallet, "--json")).toContain(records);
  expect((await printed("log", "show", wallet, "--from", "3", "--instance", "message")).startsWith(shown)).toBe(true);
  // What was exported is the wallet as it was then, to the byte.
  expect(await printed("log", "show", copy, "--json")).toBe(records);
  expect(await printed("status", copy, "--json")).toBe(status);
});

test("a wallet is told as locked to whoever wants to open it, and to all while its process is stopped", async () => {
  const refused = await run(["sync", wallet, "--mnemonic-file", join(home, "words")]);
  expect(refused.stderr).toMatch(new RegExp(`^heartwood: STORE_LOCKED: .*process ${running.child.pid} `, "m"));
  running.child.kill("SIGSTOP");
  const stopped = await Promise.all([runHere(["status", wallet]), runHere(["log", "verify", wallet])]);
  for (const { code, stderr } of stopped) {
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^heartwood: STORE_LOCKED: .*process ${running.child.pid} .*does not answer`, "m"));
  }
  running.child.kill("SIGCONT");
  expect(await printed("status", wallet)).toMatch(/^balance +21,000 sat$/m);
  await receive(1_000n);
});
