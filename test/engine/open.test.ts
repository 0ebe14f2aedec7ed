import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Heartwood, type OpenOptions, type Transport, type Wallet } from "../../engine/index.ts";
import { startSimulator } from "../../simulator/index.ts";
import { createLevelLog, createMemoryLog, openLevelLog } from "../../store/index.ts";
import { openSession } from "../../streams/session.ts";
import {
  codeOfRefusal,
  eventually,
  FastClock,
  fastChain,
  fastOptions,
  freshDirectory,
  goLive,
  logOf,
  nextEvent,
  OTHER_MNEMONIC,
  openWallet,
  type Setup,
  setUp,
  simulate,
  walletOptions,
} from "./helpers.ts";

const holderPath = fileURLToPath(new URL("./wallet-process.mjs", import.meta.url));

/** A closed wallet that every refusal leaves as it is. */
let shared: Pick<Setup, "directory" | "options">;

beforeAll(async () => {
  const parent = await mkdtemp(join(tmpdir(), "heartwood-test-"));
  await using simulator = await startSimulator();
  const options = fastOptions(simulator, join(parent, "wallet"));
  await using wallet = await Heartwood.open(options);
  await wallet.sync();
  shared = { directory: options.directory, options };
});

afterAll(() => rm(dirname(shared.directory), { recursive: true, force: true }));

/** A wallet with a payment in it, closed. */
async function closedWallet(): Promise<Setup> {
  const setup = await setUp();
  await setup.simulator.pay(setup.address, { amountsSats: [1_000n] });
  await setup.wallet.sync();
  await setup.wallet.close();
  return setup;
}

const noSeed: { readonly mnemonic?: never } = {};
const refusedOptions: readonly [string, string, Partial<OpenOptions> | (() => Partial<OpenOptions>)][] = [
  ["another network", "WALLET_WRONG_NETWORK", { network: "signet" }],
  ["a network that does not exist", "BAD_OPTION", { network: "moonnet" as "signet" }],
  ["another seed", "WALLET_SEED_MISMATCH", { mnemonic: () => OTHER_MNEMONIC }],
  ["a mnemonic with a wrong checksum", "BAD_MNEMONIC", { mnemonic: () => "abandon ".repeat(12).trim() }],
  ["a mnemonic of eleven words", "BAD_MNEMONIC", { mnemonic: () => "abandon ".repeat(11).trim() }],
  ["an unknown word", "BAD_MNEMONIC", { mnemonic: () => `${"abandon ".repeat(11)}heartwood` }],
  ["a server address that is none", "BAD_URL", { server: "http://" }],
  ["a server of another scheme", "BAD_URL", { server: "ftp://ark.example" }],
  ["plaintext to another machine", "PLAINTEXT_REFUSED", { server: "http://ark.example" }],
  ["a chain source that is no address", "CHAIN_BAD_URL", { chain: "http://" }],
  ["an empty directory name", "BAD_OPTION", { directory: "" }],
];

test.each(refusedOptions)("opened with %s a wallet is refused as %s, and nothing is changed", async (_what, code, change) => {
  const { directory, options } = shared;
  const before = await logOf(directory);
  expect(await codeOfRefusal(Heartwood.open({ ...options, ...change } as OpenOptions))).toBe(code);
  expect(await logOf(directory)).toEqual(before);
});

test("a seed of a wrong length is refused as BAD_SEED, and both seed and mnemonic as BAD_OPTION", async () => {
  const { directory, options } = shared;
  const before = await logOf(directory);
  const { mnemonic, ...rest } = options;
  const seed = () => new Uint8Array(32);
  expect(await codeOfRefusal(Heartwood.open({ ...rest, ...noSeed, seed } as OpenOptions))).toBe("BAD_SEED");
  expect(await codeOfRefusal(Heartwood.open({ ...rest, mnemonic, seed } as unknown as OpenOptions))).toBe("BAD_OPTION");
  expect(await codeOfRefusal(Heartwood.open({ ...rest, ...noSeed } as unknown as OpenOptions))).toBe("BAD_OPTION");
  expect(await logOf(directory)).toEqual(before);
});

test.each(refusedOptions.slice(3, -1).filter(([, code]) => !code.startsWith("WALLET_")))(
  "with %s nothing is created",
  async (_what, code, change) => {
    const simulator = await simulate();
    const directory = await freshDirectory();
    expect(await codeOfRefusal(Heartwood.open({ ...walletOptions(simulator, directory), ...change } as OpenOptions))).toBe(code);
    expect(await readdir(dirname(directory))).toEqual([]);
  },
);

test.each(["server", "chain", "network"] as const)(
  "a new wallet without the option %s is refused as BAD_OPTION, and nothing is created",
  async (missing) => {
    const directory = await freshDirectory();
    const { [missing]: _, ...options } = walletOptions(await simulate(), directory);
    expect(await codeOfRefusal(Heartwood.open(options as OpenOptions))).toBe("BAD_OPTION");
    expect(await readdir(dirname(directory))).toEqual([]);
  },
);

test("a directory that is not there is refused without create, and not made", async () => {
  const directory = await freshDirectory();
  const { create: _, ...options } = walletOptions(await simulate(), directory);
  expect(await codeOfRefusal(Heartwood.open(options as OpenOptions))).toBe("STORE_NOT_FOUND");
  expect(await codeOfRefusal(Heartwood.read(directory))).toBe("STORE_NOT_FOUND");
  expect(await readdir(dirname(directory))).toEqual([]);
});

test("a log without a wallet is refused without create, and becomes one with it", async () => {
  const directory = await freshDirectory();
  await createLevelLog(directory);
  const { create: _, ...options } = walletOptions(await simulate(), directory);
  expect(await codeOfRefusal(Heartwood.open(options as OpenOptions))).toBe("WALLET_NOT_CREATED");
  expect(await codeOfRefusal(Heartwood.read(directory))).toBe("WALLET_NOT_CREATED");
  expect(await logOf(directory)).toMatchObject({ seq: 0n });
  await (await Heartwood.open({ ...options, create: true } as OpenOptions)).close();
  expect(await Heartwood.read(directory)).toMatchObject({ network: "regtest" });
});

test("somebody else's directory is refused and left as it is, with create and without", async () => {
  const directory = await freshDirectory();
  await mkdir(directory);
  await writeFile(`${directory}/letters.txt`, "dear diary");
  const options = walletOptions(await simulate(), directory);
  expect(await codeOfRefusal(Heartwood.open(options))).toBe("STORE_FOREIGN");
  const { create: _, ...without } = options;
  expect(await codeOfRefusal(Heartwood.open(without as OpenOptions))).toBe("STORE_FOREIGN");
  expect(await readdir(directory)).toEqual(["letters.txt"]);
});

test("a directory that this process has open is refused as STORE_LOCKED, and the owner goes on", async () => {
  const { simulator, wallet, directory, options, address } = await setUp();
  expect(await codeOfRefusal(Heartwood.open(options))).toBe("STORE_LOCKED");
  expect(await codeOfRefusal(openLevelLog(directory, { readOnly: true }))).toBe("STORE_LOCKED");
  await simulator.pay(address, { amountsSats: [1_000n] });
  expect(await wallet.sync()).toMatchObject({ applied: 1 });
});

test("a wallet waits for a short look at its directory, and is refused where somebody goes on looking", async () => {
  const { directory, options } = await closedWallet();
  const look = await openLevelLog(directory, { readOnly: true });
  const opening = Heartwood.open(options);
  setTimeout(() => void look.close(), 200);
  await (await opening).close();
  await using _look = await openLevelLog(directory, { readOnly: true });
  await expect(Heartwood.open(options)).rejects.toMatchObject({ code: "STORE_LOCKED", holder: { readOnly: true } });
});

test("a directory that another process has open is refused as STORE_LOCKED naming it, and free after its death", async () => {
  const { simulator, directory, options } = await closedWallet();
  const holder = spawn(process.execPath, [holderPath, "hold", directory, simulator.serverUrl, simulator.chainUrl], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  holder.stdin.write("begin\n");
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  await expect(Heartwood.open(options)).rejects.toMatchObject({ code: "STORE_LOCKED", holder: { pid: holder.pid } });
  const ended = once(holder, "exit");
  holder.kill("SIGKILL");
  await ended;
  const wallet = await openWallet(options);
  expect(wallet.balance().totalSats).toBe(1_000n);
});

test("a server of another network is refused for good, and no work is done there", async () => {
  const simulator = await simulate();
  simulator.faults.arkInfo = { network: "signet" };
  const wallet = await openWallet(fastOptions(simulator, await freshDirectory()));
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_WRONG_NETWORK" });
  expect(simulator.calls("ReadMailbox")).toBe(0);
  expect(wallet.status()).toMatchObject({ serverPubkey: null, checkpoint: 0n });
  const stopped = nextEvent(wallet, "connection.changed", ({ state }) => state === "Stopped");
  wallet.start();
  expect(await stopped).toMatchObject({ code: "SERVER_WRONG_NETWORK" });
});

test("a chain source of another network is refused, and the server is not even asked", async () => {
  const [simulator, other] = [await simulate(), await simulate({ network: "signet" })];
  const wallet = await openWallet({ ...fastOptions(simulator, await freshDirectory()), chain: fastChain(other) });
  await expect(wallet.sync()).rejects.toMatchObject({ code: "CHAIN_WRONG_NETWORK" });
  expect(simulator.calls("Handshake")).toBe(0);
});

test.each([
  ["server", "SERVER_KEY_CHANGED"],
  ["mailbox", "MAILBOX_KEY_CHANGED"],
] as const)("a changed %s key is refused as %s: no work is done, what the wallet has stays", async (name, code) => {
  const { simulator, wallet, address } = await setUp();
  await simulator.pay(address, { amountsSats: [1_000n] });
  await wallet.sync();
  const before = wallet.status();
  const reads = simulator.calls("ReadMailbox");
  simulator.rotateKeys(name);
  await expect(wallet.sync()).rejects.toMatchObject({ code, retryable: false });
  expect(simulator.calls("ReadMailbox")).toBe(reads);
  expect(wallet.status()).toMatchObject({
    vtxos: before.vtxos,
    serverPubkey: before.serverPubkey,
    checkpoint: before.checkpoint,
  });
});

test("a live wallet stops when the server comes back with another key", async () => {
  const { simulator, wallet } = await setUp();
  await goLive(wallet);
  const stopped = nextEvent(wallet, "connection.changed", ({ state }) => state === "Stopped");
  simulator.rotateKeys("server");
  simulator.faults.cutStreams();
  expect(await stopped).toMatchObject({ code: "SERVER_KEY_CHANGED" });
});

test("a live wallet notices within the hour that the server has other keys or other terms, without any break (mailbox.md W-38)", async () => {
  const simulator = await simulate();
  const wallet = await openWallet(fastOptions(simulator, await freshDirectory(), new FastClock(20_000)));
  await goLive(wallet);
  const calls = simulator.calls("ReadMailbox");
  simulator.faults.arkInfo = { maxVtxoExitDepth: 50 };
  // It catches up with the new terms, and stays live without a record.
  await eventually(() => simulator.calls("ReadMailbox") > calls && wallet.status().connection === "Live", "another session");
  const stopped = nextEvent(wallet, "connection.changed", ({ state }) => state === "Stopped");
  simulator.rotateKeys("server");
  expect(await stopped).toMatchObject({ code: "SERVER_KEY_CHANGED" });
});

test("a server that refuses the connection ends a sync as SERVER_UNREACHABLE, and the wallet stays usable", async () => {
  const { simulator, wallet, address } = await setUp();
  await simulator.takeDown();
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE", retryable: true });
  expect(await wallet.address()).toBe(address);
  await simulator.bringUp();
  await simulator.pay(address, { amountsSats: [1_000n] });
  expect(await wallet.sync()).toMatchObject({ applied: 1 });
});

test("a server that never answers ends a sync as SERVER_UNREACHABLE after the connection's time", async () => {
  const simulator = await simulate();
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const impatient: Transport = (options) => openSession({ ...options, connectTimeoutMs: 200 });
  const wallet = await openWallet({
    ...fastOptions(simulator, await freshDirectory()),
    server: `http://127.0.0.1:${port}`,
    ports: { clock: new FastClock(), transport: impatient },
  });
  await expect(wallet.sync()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
});

test("no address can be made before a server was seen", async () => {
  const wallet = await openWallet(fastOptions(await simulate(), await freshDirectory()));
  await expect(wallet.address()).rejects.toMatchObject({ code: "SERVER_NOT_SEEN" });
});

test("a closed wallet refuses every request, answers every question, and closing again changes nothing", async () => {
  const { wallet, directory } = await closedWallet();
  const before = await logOf(directory);
  const requests: ((closed: Wallet) => unknown)[] = [
    (closed) => closed.sync(),
    (closed) => closed.stop(),
    (closed) => closed.address(),
    (closed) => closed.address({ fresh: true }),
    async (closed) => closed.start(),
  ];
  for (const request of requests) {
    expect(await codeOfRefusal((async () => request(wallet))())).toBe("WALLET_CLOSED");
  }
  for await (const event of wallet.events()) throw new Error(`expected no event, got ${event.type}`);
  expect(wallet.balance().totalSats).toBe(1_000n);
  await wallet.close();
  expect(await logOf(directory)).toEqual(before);
});

test("a server's new address is remembered once its keys proved right, and not before", async () => {
  const { options } = await closedWallet();
  const { server: _server, network: _network, create: _create, ...rest } = options;
  const [moved, foreign] = [await simulate(), await simulate({ seed: "another server" })];

  const wallet = await openWallet({ ...rest, server: moved.serverUrl } as OpenOptions);
  expect(wallet.status().serverUrl).toBe(options.server);
  await wallet.sync();
  expect(wallet.status()).toMatchObject({ network: "regtest", serverUrl: moved.serverUrl });
  await wallet.close();

  const misled = await openWallet({ ...rest, server: foreign.serverUrl } as OpenOptions);
  await expect(misled.sync()).rejects.toMatchObject({ code: "SERVER_KEY_CHANGED" });
  await misled.close();
  const again = await openWallet(rest as OpenOptions);
  expect(again.status().serverUrl).toBe(moved.serverUrl);
  expect(await again.sync()).toMatchObject({ caughtUp: true });
});

test("a wallet that was made for a wrong network and never reached a server can be corrected", async () => {
  const simulator = await simulate();
  const options = walletOptions(simulator, await freshDirectory());
  const wrong = await openWallet({ ...options, network: "signet" });
  await expect(wrong.sync()).rejects.toMatchObject({ code: "CHAIN_WRONG_NETWORK" });
  await wrong.close();
  const right = await openWallet(options);
  await right.sync();
  expect(right.status()).toMatchObject({ network: "regtest", serverPubkey: expect.any(String) });
  await right.close();
  await expect(Heartwood.open({ ...options, network: "signet" })).rejects.toMatchObject({ code: "WALLET_WRONG_NETWORK" });
});

test("create opens a wallet that is there, and asks for nothing that it remembers", async () => {
  const { options } = await closedWallet();
  const { server: _server, network: _network, ...rest } = options;
  const wallet = await openWallet({ ...rest, create: true } as OpenOptions);
  expect(wallet.status().network).toBe("regtest");
});

test("an aborted opening leaves the directory free", async () => {
  const { directory, options } = shared;
  const before = await logOf(directory);
  await expect(Heartwood.open({ ...options, signal: AbortSignal.abort(new Error("changed my mind")) })).rejects.toThrow(
    "changed my mind",
  );
  expect(await logOf(directory)).toEqual(before);
});

test("a wallet lives on a log in memory as on one in a directory", async () => {
  const simulator = await simulate();
  const log = createMemoryLog();
  const { directory: _, ...options } = fastOptions(simulator, "none");
  const wallet = await Heartwood.openOn(await log.open(), options);
  await wallet.sync();
  await simulator.pay(await wallet.address(), { amountsSats: [1_000n] });
  await wallet.sync();
  await wallet.close();
  const again = await Heartwood.openOn(await log.open(), options);
  onTestFinished(() => again.close());
  expect(again.balance().totalSats).toBe(1_000n);
});

test("an open wallet that is never started asks nobody anything", async () => {
  const simulator = await simulate();
  const wallet = await openWallet(walletOptions(simulator, await freshDirectory()));
  await eventually(() => wallet.status().records > 0n, "its first records");
  expect(simulator.calls("Handshake")).toBe(0);
});
