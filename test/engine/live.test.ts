import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { Heartwood, type RecordView } from "../../engine/index.ts";
import { exportLog, importLog, measureLog, verifyStore } from "../../store/index.ts";
import {
  codeOfRefusal,
  eventually,
  fastOptions,
  freshDirectory,
  goLive,
  nextEvent,
  openWallet,
  setUp,
  simulate,
} from "./helpers.ts";

const programPath = fileURLToPath(new URL("./wallet-process.mjs", import.meta.url));

async function recordsOf(directory: string): Promise<RecordView[]> {
  const records: RecordView[] = [];
  for await (const record of Heartwood.records(directory)) records.push(record);
  return records;
}

test("whoever reads the directory of an open wallet, in its own process too, sees what the wallet says", async () => {
  const { simulator, wallet, directory, address } = await setUp();
  await goLive(wallet);
  for (const amountSats of [1_000n, 2_000n]) {
    const received = nextEvent(wallet, "payment.received");
    await simulator.pay(address, { amountsSats: [amountSats] });
    await received;
  }
  await wallet.stop();
  const link = join(await freshDirectory(), "..", "link");
  await symlink(directory, link);
  for (const path of [directory, link]) expect(await Heartwood.read(path)).toEqual(wallet.status());
  const { head, borne } = await Heartwood.verify(directory);
  expect([head.seq, borne]).toEqual([wallet.status().records, []]);
  const records = await recordsOf(directory);
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, i) => BigInt(i + 1)));
  expect(BigInt(records.length)).toBe(head.seq);
  expect(await readdir(directory)).toContain("SOCKET");
  await wallet.close();
  expect(await readdir(directory)).not.toContain("SOCKET");
  expect((await Heartwood.read(directory)).balance.totalSats).toBe(3_000n);
});

test("reading goes on while payments arrive, and each reading is a moment of the wallet", async () => {
  const { simulator, wallet, directory, address } = await setUp();
  await goLive(wallet);
  const paying = (async () => {
    for (let count = 1; count <= 5; count++) {
      await simulator.pay(address, { amountsSats: [1_000n] });
      await eventually(() => wallet.movements().length === count, `${count} payments`);
    }
  })();
  const readings: number[] = [];
  while ((readings.at(-1) ?? 0) < 5) {
    const [{ balance, movements }, { head }] = await Promise.all([Heartwood.read(directory), Heartwood.verify(directory)]);
    expect(balance.totalSats).toBe(1_000n * BigInt(movements.length));
    expect(head.seq).toBeGreaterThan(0n);
    readings.push(movements.length);
  }
  await paying;
  expect(readings).toEqual(readings.toSorted((a, b) => a - b));
  await wallet.stop();
  const file = join(await freshDirectory(), "..", "wallet.export");
  const { seq } = await exportLog(directory, file);
  const copy = await freshDirectory();
  expect((await importLog(file, copy)).seq).toBe(seq);
  const { balance } = await Heartwood.read(copy);
  expect(balance).toEqual(wallet.balance());
});

test("two wallets of one process answer each for itself", async () => {
  const simulator = await simulate();
  const directories = [await freshDirectory(), await freshDirectory()];
  const wallets = await Promise.all(directories.map((directory) => openWallet(fastOptions(simulator, directory))));
  await wallets[0]?.sync();
  for (const [i, directory] of directories.entries()) expect(await Heartwood.read(directory)).toEqual(wallets[i]?.status());
});

test("a wallet whose socket cannot be made says so to its logger, and opens and works", async () => {
  const { simulator, wallet, directory, options, address } = await setUp();
  await wallet.close();
  await mkdir(join(directory, "SOCKET.new", "in-the-way"), { recursive: true });
  const heard: string[] = [];
  const logger = (level: string, message: string) => void heard.push(`${level}: ${message}`);
  const again = await openWallet({ ...options, ports: { ...options.ports, logger } });
  expect(heard).toEqual(["warn: other processes cannot look at this wallet while it is open"]);
  expect(await codeOfRefusal(Heartwood.read(directory))).toBe("STORE_LOCKED");
  await simulator.pay(address, { amountsSats: [1_000n] });
  expect(await again.sync()).toMatchObject({ applied: 1 });
});

test("a wallet that was killed leaves its socket, and its directory is read, opened and asked as before", async () => {
  const { simulator, wallet, directory, options } = await setUp();
  await wallet.close();
  const holder = spawn(process.execPath, [programPath, "hold", directory, simulator.serverUrl, simulator.chainUrl], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  holder.stdin.write("begin\n");
  await once(holder.stdout, "data");
  expect((await Heartwood.read(directory)).epoch).toBe(2n);
  expect((await measureLog(directory)).head.epoch).toBe(2n);
  const ended = once(holder, "exit");
  holder.kill("SIGKILL");
  await ended;
  expect(await readdir(directory)).toEqual(expect.arrayContaining(["OWNER", "SOCKET"]));
  expect((await Heartwood.read(directory)).epoch).toBe(2n);
  expect((await verifyStore(directory)).head.epoch).toBe(2n);
  const again = await openWallet(options);
  expect(await Heartwood.read(directory)).toEqual(again.status());
});

test("a program that forgets to close its wallet ends all the same", async () => {
  const { simulator, wallet, directory } = await setUp();
  await wallet.close();
  const program = spawn(process.execPath, [programPath, "forget", directory, simulator.serverUrl, simulator.chainUrl], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void program.kill("SIGKILL"));
  program.stdin.write("begin\n");
  expect(await once(program, "exit")).toEqual([0, null]);
});
