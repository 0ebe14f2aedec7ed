import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { entropyToMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import type { Wallet } from "heartwood";
import type { Command } from "../command.ts";
import { Dice } from "../demo/dice.ts";
import { Narrator } from "../demo/narrator.ts";
import type { Stage } from "../demo/scenario.ts";
import { type Comparison, compare, type Recount } from "../demo/tally.ts";
import { WalletProcess } from "../demo/wallet-process.ts";
import { CliError } from "../errors.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { connect } from "../live-wallet.ts";
import type { Output } from "../output.ts";
import { Progress } from "../progress.ts";
import { formatTable } from "../table.ts";

const ENTROPY_BYTES = 16;

/** `heartwood demo`: the whole engine at work, against a simulated server. */
export const demo: Command = {
  name: "demo",
  summary: "watch a wallet receive, halt, die, go on and pay over Lightning",
  operands: [],
  options: {
    keep: { value: "DIR", describes: "leave the wallet directory there, to look into" },
    seed: { value: "TEXT", describes: "repeat a run (default: a new one, which is printed)" },
  },
  details: `
Starts a simulated Ark server and a wallet in a process of its own. Payments arrive,
good, forged, doubled and unknown ones; one cannot be decided while the chain source is
off; the wallet is killed three times in the middle of a burst. It pays over Lightning,
gets a failed payment back, and is paid. At the end what was sent is held against what
the wallet says and what a new process recomputes from its log.`,
  async run(given, output) {
    const seed = given.text("seed") ?? randomBytes(4).toString("hex");
    const keep = given.text("keep");
    if (keep !== undefined) await checkEmpty(resolve(keep));
    const temporary = await mkdtemp(join(tmpdir(), "heartwood-demo-"));
    const interrupted = abortOnInterrupt(() => output.message("ending the demo"));
    try {
      const story = tell(seed, keep === undefined ? join(temporary, "wallet") : resolve(keep), temporary, output, interrupted);
      const exitCode = await Promise.race([story, rejection(interrupted)]);
      if (keep !== undefined) await output.line(`The wallet directory is in ${keep}: heartwood status ${keep}`);
      return exitCode;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
};

/** A directory that is not the demo's to fill is left alone. */
async function checkEmpty(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (names.length > 0) throw new CliError("USAGE", `expected --keep to name an absent or empty directory, got ${directory}`);
}

async function tell(seed: string, directory: string, temporary: string, output: Output, signal: AbortSignal): Promise<number> {
  const { startSimulator } = await import("heartwood/simulator");
  const narrator = new Narrator(output);
  const { strong, accent } = output.style;
  const startedAtMs = Date.now();
  const dice = new Dice(seed);
  narrator.line(`${strong("Heartwood")}: a payment, end to end  (seed ${accent(seed)}; --seed ${seed} repeats this run)`);

  narrator.title("A server and a wallet");
  await using simulator = await startSimulator({ seed, network: "regtest" });
  narrator.done("simulated Ark server (gRPC)", simulator.serverUrl);
  narrator.done("simulated chain (Esplora)", simulator.chainUrl);
  const mnemonicFile = join(temporary, "mnemonic");
  const mnemonic = entropyToMnemonic(dice.bytes().subarray(0, ENTROPY_BYTES), wordlist);
  await writeFile(mnemonicFile, mnemonic, { mode: 0o600 });
  const place = ["--create", "--server", simulator.serverUrl, "--chain", simulator.chainUrl, "--network", "regtest"];
  const wallet = new WalletProcess(commandPath(), [directory, "--mnemonic-file", mnemonicFile, ...place]);
  const stop = (): void => void wallet.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    narrator.wait("the wallet is made");
    wallet.start();
    const ready = await wallet.until("the wallet to be live", ({ type }) => type === "wallet.ready");
    const address = String(ready.address);
    narrator.done("wallet, in a process of its own", directory);
    narrator.line(`    ${accent(address)}`);
    const tally = { messages: 0, packages: 0, quarantined: 0, balanceSats: 0n, checkpoint: 0n };
    const { halt, kills, payments } = await import("../demo/scenario.ts");
    const stage: Stage = { simulator, wallet, narrator, dice, tally, address };

    narrator.title("Payments arrive");
    await payments(stage);
    narrator.title("A package halts, and is redelivered");
    await halt(stage);
    narrator.title("The process is killed in the middle of a burst");
    await kills(stage);

    narrator.title("Lightning, in this process");
    await wallet.interrupt();
    await withWallet({ directory, mnemonic, signal }, async (live) => {
      const { lightning } = await import("../demo/lightning.ts");
      await lightning({ simulator, wallet: live, narrator, tally, address });
    });
    const since = wallet.lines.length;
    wallet.start();
    await wallet.until("the wallet to be live again", ({ type }) => type === "wallet.ready", since);

    narrator.title("What was sent, what the wallet says, what its log says");
    await wallet.interrupt();
    const running = wallet.lines.findLast(({ type }) => type === "wallet.closing")?.status as Recount;
    const rows = compare(tally, running, await recompute(directory));
    return await conclude(rows, narrator, output, Date.now() - startedAtMs);
  } finally {
    signal.removeEventListener("abort", stop);
    await wallet.kill();
  }
}

/** Opens the wallet that a process of its own has let go, connects it, and lets it go again. */
async function withWallet(
  place: { readonly directory: string; readonly mnemonic: string; readonly signal: AbortSignal },
  work: (wallet: Wallet) => Promise<void>,
): Promise<void> {
  const { Heartwood } = await import("heartwood");
  await using wallet = await Heartwood.open({ directory: place.directory, mnemonic: () => place.mnemonic });
  await connect(wallet, new Progress(process.stderr), place.signal);
  await work(wallet);
}

async function conclude(rows: readonly Comparison[], narrator: Narrator, output: Output, elapsedMs: number): Promise<number> {
  const { good, bad, strong } = output.style;
  const table = formatTable(
    [
      { heading: "" },
      { heading: "sent", align: "right" },
      { heading: "running wallet", align: "right" },
      { heading: "status --json", align: "right" },
      { heading: "" },
    ],
    rows.map(({ what, values, agrees }) => [what, ...values, agrees ? good("✓") : bad("✗")]),
    output.style,
  );
  for (const line of table) narrator.line(`  ${line}`);
  narrator.line("");
  const agree = rows.every(({ agrees }) => agrees);
  const seconds = (elapsedMs / 1000).toFixed(1);
  narrator.line(
    agree ? strong(good(`Everything agrees (${seconds} s).`)) : strong(bad(`Something does not agree (${seconds} s).`)),
  );
  await narrator.finish();
  return agree ? 0 : 1;
}

/** `heartwood status --json` in a new process. */
async function recompute(directory: string): Promise<Recount> {
  const { stdout } = await promisify(execFile)(process.execPath, [commandPath(), "status", directory, "--json"], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Recount;
}

function commandPath(): string {
  const [, path] = process.argv;
  if (path === undefined) throw new Error("expected to be run as a command");
  return path;
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
