import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { Heartwood } from "../../engine/index.ts";
import type { Simulator } from "../../simulator/index.ts";
import {
  addressOf,
  eventually,
  expectBooksToBalance,
  freshDirectory,
  MNEMONIC,
  OTHER_MNEMONIC,
  openWallet,
  setUp,
  simulate,
  walletOptions,
} from "./helpers.ts";

const programPath = fileURLToPath(new URL("./wallet-process.mjs", import.meta.url));
const KILLS = 6;

interface WalletProcess {
  readonly process: ChildProcess;
  readonly lines: { type?: string; state?: string; failed?: string; closed?: boolean }[];
}

/** Loads a wallet's program in a process of its own, which waits for its beginning. */
function loadProcess(
  mode: "live" | "leave",
  directory: string,
  { serverUrl, chainUrl }: Simulator,
  ...more: readonly string[]
): WalletProcess {
  const process_ = spawn(process.execPath, [programPath, mode, directory, serverUrl, chainUrl, ...more], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void process_.kill("SIGKILL"));
  const lines: WalletProcess["lines"] = [];
  createInterface({ input: process_.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  return { process: process_, lines };
}

function startProcess(
  mode: "live" | "leave",
  directory: string,
  simulator: Simulator,
  ...more: readonly string[]
): WalletProcess {
  const loaded = loadProcess(mode, directory, simulator, ...more);
  begin(loaded);
  return loaded;
}

function begin({ process: child }: WalletProcess): void {
  child.stdin?.on("error", () => undefined);
  child.stdin?.write("begin\n");
}

async function kill({ process: { exitCode, pid }, process: child }: WalletProcess): Promise<void> {
  expect(exitCode, `process ${pid} ended by itself`).toBeNull();
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Random numbers from a seed: `next(n)` is from 0 to n − 1. */
function seededRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * bound);
  };
}

test(`a wallet that is killed ${KILLS} times in a burst credits every payment exactly once`, { timeout: 300_000 }, async () => {
  const random = seededRandom(2_026);
  const simulator = await simulate();
  const directory = await freshDirectory();
  const address = addressOf(simulator, MNEMONIC, 0);
  let sent = 0n;
  let isOver = false;
  const burst = (async () => {
    for (let count = 0; !isOver; count++) {
      const amountsSats = Array.from({ length: 1 + random(2) }, () => BigInt(1_000 + random(9_000)));
      const { checkpoint } = await simulator.pay(address, { amountsSats });
      sent += amountsSats.reduce((sum, amount) => sum + amount, 0n);
      if (count % 4 === 1) simulator.redeliver(checkpoint ?? 0n);
      if (count % 5 === 2) simulator.deliverUnknown(address);
      await new Promise((resolve) => setTimeout(resolve, 60 + random(240)));
    }
  })();
  let next = loadProcess("live", directory, simulator);
  for (let round = 1; round <= KILLS; round++) {
    const child = next;
    begin(child);
    if (round < KILLS) next = loadProcess("live", directory, simulator);
    const events = random(6);
    await eventually(() => child.lines.length > events || child.process.exitCode !== null, `${events} events in round ${round}`);
    expect(child.lines.filter(({ failed }) => failed !== undefined)).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, random(40)));
    await kill(child);
    const status = await Heartwood.read(directory);
    expectBooksToBalance(status);
    expect(status.balance.totalSats).toBeLessThanOrEqual(sent);
  }
  isOver = true;
  await burst;

  const wallet = await openWallet(walletOptions(simulator, directory));
  const { halted, caughtUp } = await wallet.sync();
  expect({ halted, caughtUp }).toEqual({ halted: null, caughtUp: true });
  const status = wallet.status();
  expectBooksToBalance(status);
  expect(status.balance).toMatchObject({ totalSats: sent, spendableSats: sent });
  expect(status.checkpoint).toBe(simulator.mailbox(address).at(-1)?.checkpoint);
  expect(status.vtxos.map(({ id }) => id).toSorted()).toEqual(
    simulator.sent.flatMap(({ how, vtxos }) => (how === "pay" ? vtxos.map(({ id }) => id) : [])).toSorted(),
  );
  expect(status).toMatchObject({ openCommands: 0, quarantine: [], epoch: BigInt(KILLS + 1) });
  expect(simulator.recoveryIds().toSorted()).toEqual(status.vtxos.map(({ id }) => id).toSorted());
});

test("a payment of which a wallet was killed is delivered by the next one, once", async () => {
  const { simulator, wallet, address, directory } = await setUp();
  await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  await wallet.close();
  const payee = addressOf(simulator, OTHER_MNEMONIC, 0);
  simulator.faults.delay("PostArkoorMessage", 60_000);
  const child = startProcess("live", directory, simulator, payee, "2000");
  await eventually(
    () => child.lines.some(({ type, state }) => type === "payment.changed" && state === "Delivering"),
    "the payment",
  );
  await kill(child);
  const killed = await Heartwood.read(directory);
  expect(killed.balance).toMatchObject({ totalSats: 3_000n, spendableSats: 3_000n });
  expect(killed.movements.at(-1)).toMatchObject({ status: "pending", effectiveBalanceSats: -2_000n });
  expectBooksToBalance(killed);

  simulator.faults.delay("PostArkoorMessage", 0);
  const next = await openWallet(walletOptions(simulator, directory));
  const [payment] = next.payments();
  await next.sync();
  expect(payment?.status).toBe("successful");
  expect(next.balance().totalSats).toBe(3_000n);
  expect(simulator.mailbox(payee)).toHaveLength(1);
});

test("a registration and a backup that a killed wallet owed are made by the next one, and end", async () => {
  const simulator = await simulate();
  const directory = await freshDirectory();
  const address = addressOf(simulator, MNEMONIC, 0);
  simulator.faults.delay("RegisterVtxoTransactions", 60_000);
  simulator.faults.delay("PostRecoveryVtxoIds", 60_000);
  const child = startProcess("live", directory, simulator);
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n], register: false });
  await eventually(() => child.lines.some(({ type }) => type === "payment.received"), "the payment");
  await kill(child);
  expect(await Heartwood.read(directory)).toMatchObject({ openCommands: 2, balance: { awaitingRegistrationSats: 3_000n } });

  simulator.faults.clear();
  const wallet = await openWallet(walletOptions(simulator, directory));
  await wallet.sync();
  expect(wallet.status()).toMatchObject({ openCommands: 0, balance: { spendableSats: 3_000n, awaitingRegistrationSats: 0n } });
  expect(simulator.recoveryIds()).toHaveLength(2);
});

test("a package that a killed wallet had received but not vetted is applied once by the next one", async () => {
  const simulator = await simulate();
  const directory = await freshDirectory();
  simulator.faults.delay("GetVtxoStatus", 60_000);
  const child = startProcess("live", directory, simulator);
  await eventually(() => child.lines.filter(({ type }) => type === "connection.changed").length >= 3, "a live wallet");
  const { checkpoint } = await simulator.pay(addressOf(simulator, MNEMONIC, 0), { amountsSats: [1_000n] });
  await eventually(() => simulator.calls("GetVtxoStatus") === 1, "the question about its VTXO");
  await eventually(async () => (await Heartwood.read(directory)).counters.messages === 1, "the message in the log");
  await kill(child);
  expect(await Heartwood.read(directory)).toMatchObject({ checkpoint: 0n, counters: { messages: 1, packages: 0 } });

  simulator.faults.clear();
  const wallet = await openWallet(walletOptions(simulator, directory));
  expect(await wallet.sync()).toMatchObject({ messages: 0, applied: 1, checkpoint });
  expect(wallet.status().counters).toMatchObject({ messages: 1, packages: 1, redeliveries: 1 });
});

test("a process that closes its wallet while it waits to reconnect ends by itself, and waits no longer", async () => {
  const { simulator, wallet, directory } = await setUp();
  await wallet.close();
  await simulator.takeDown();
  const child = startProcess("leave", directory, simulator);
  const exited = once(child.process, "exit");
  await eventually(() => child.lines.some(({ closed }) => closed === true), "a closed wallet");
  expect(await exited).toEqual([0, null]);
});
