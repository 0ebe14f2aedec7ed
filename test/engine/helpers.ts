import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filter, firstValueFrom, timeout } from "rxjs";
import { expect, onTestFinished } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { WalletKeys } from "../../ark/keys.ts";
import {
  type Clock,
  esplora,
  Heartwood,
  type OpenOptions,
  type Wallet,
  type WalletEvent,
  type WalletStatus,
} from "../../engine/index.ts";
import { Keyring } from "../../engine/keyring.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.ts";
import { openLevelLog } from "../../store/index.ts";

export const MNEMONIC = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
export const OTHER_MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/** A directory that does not exist yet, removed after the test with all that is in it. */
export async function freshDirectory(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "heartwood-test-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, "wallet");
}

/** A simulator for this test alone. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ seed: "test", network: "regtest", ...options });
  onTestFinished(() => simulator.stop());
  return simulator;
}

/** Options of a wallet that lives on that simulator. */
export function walletOptions(simulator: Simulator, directory: string, mnemonic = MNEMONIC) {
  return {
    directory,
    mnemonic: () => mnemonic,
    server: simulator.serverUrl,
    chain: simulator.chainUrl,
    network: "regtest",
    create: true,
  } satisfies OpenOptions;
}

/** The same with waits that cost next to nothing, and a chain source that gives up at once. */
export function fastOptions(simulator: Simulator, directory: string, clock: Clock = new FastClock()): OpenOptions {
  return { ...walletOptions(simulator, directory), chain: fastChain(simulator), ports: { clock } };
}

/** A chain source without repetitions, long waits and memory. */
export function fastChain({ chainUrl }: Simulator) {
  return esplora(chainUrl, { retries: 0, timeoutMs: 2_000, tipCacheMs: 0 });
}

/** The system's clock, on which the engine's waits pass 500 times as fast unless told otherwise. */
export class FastClock implements Clock {
  readonly #speed: number;
  /** Callbacks that were neither called nor cancelled. */
  waiting = 0;

  constructor(speed = 500) {
    this.#speed = speed;
  }

  nowMs(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void): () => void {
    this.waiting++;
    let open = true;
    const end = (): void => {
      if (open) this.waiting--;
      open = false;
    };
    const timer = setTimeout(() => {
      end();
      callback();
    }, delayMs / this.#speed);
    return () => {
      clearTimeout(timer);
      end();
    };
  }
}

/** Opens a wallet that is closed after the test. */
export async function openWallet(options: OpenOptions): Promise<Wallet> {
  const wallet = await Heartwood.open(options);
  onTestFinished(() => wallet.close());
  return wallet;
}

/** A wallet with fast waits on a simulator of its own, with its first address. */
export interface Setup {
  readonly simulator: Simulator;
  readonly directory: string;
  readonly options: OpenOptions;
  readonly wallet: Wallet;
  readonly address: string;
}

/** Starts both, connects once and makes the first address. */
export async function setUp(options: SimulatorOptions = {}): Promise<Setup> {
  const simulator = await simulate(options);
  const directory = await freshDirectory();
  const open = fastOptions(simulator, directory);
  const wallet = await openWallet(open);
  await wallet.sync();
  return { simulator, directory, options: open, wallet, address: await wallet.address() };
}

/** The address of a seed's key at a server, made without any wallet. */
export function addressOf(simulator: Simulator, mnemonic: string, keyIndex: number): string {
  const { serverPubkey, mailboxPubkey } = simulator.arkInfo;
  const keyring = new Keyring(WalletKeys.fromMnemonic(mnemonic), defaultPorts.clock, defaultPorts.randomness);
  const pins = { serverPubkey: encodeHex(serverPubkey), mailboxPubkey: encodeHex(mailboxPubkey ?? new Uint8Array()) };
  return keyring.address(keyIndex, pins, false);
}

/** Starts the wallet and waits until it is live. */
export async function goLive(wallet: Wallet): Promise<void> {
  const live = nextEvent(wallet, "connection.changed", ({ state }) => state === "Live");
  wallet.start();
  await live;
}

/** The next event of that type. */
export function nextEvent<Type extends WalletEvent["type"]>(
  wallet: Wallet,
  type: Type,
  test: (event: Extract<WalletEvent, { type: Type }>) => boolean = () => true,
): Promise<Extract<WalletEvent, { type: Type }>> {
  const isWanted = (event: WalletEvent): event is Extract<WalletEvent, { type: Type }> =>
    event.type === type && test(event as Extract<WalletEvent, { type: Type }>);
  return firstValueFrom(wallet.events$.pipe(filter(isWanted), timeout({ first: 20_000 })));
}

/** Every event from now on, in a list that grows. */
export function recorded(wallet: Wallet): WalletEvent[] {
  const events: WalletEvent[] = [];
  const subscription = wallet.events$.subscribe({ next: (event) => void events.push(event), error: () => {} });
  onTestFinished(() => subscription.unsubscribe());
  return events;
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string, withinMs = 15_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Balance = Σ movements = Σ coins; no coin in two movements (DESIGN §11, 4 and 5). */
export function expectBooksToBalance({ balance, movements, vtxos }: WalletStatus): void {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  expect(sum(movements.map(({ effectiveBalanceSats }) => effectiveBalanceSats))).toBe(balance.totalSats);
  expect(sum(vtxos.map(({ amountSats }) => amountSats))).toBe(balance.totalSats + balance.pendingOutSats);
  const { spendableSats, awaitingRegistrationSats, unsureSats, expiredSats, unanchoredSats } = balance;
  const { lockedSats, pendingInSats, exitingSats } = balance;
  const outside = [awaitingRegistrationSats, unsureSats, expiredSats, unanchoredSats, lockedSats, pendingInSats, exitingSats];
  expect(sum([spendableSats, ...outside])).toBe(balance.totalSats);
  const credited = movements.flatMap(({ outputVtxos }) => outputVtxos);
  for (const id of movements.flatMap(({ inputVtxos }) => inputVtxos)) credited.splice(credited.indexOf(id), 1);
  expect(new Set(credited).size).toBe(credited.length);
  expect(credited.toSorted()).toEqual(vtxos.map(({ id }) => id).toSorted());
}

/** What stands in a wallet's log: its end, and its records in hex. */
export async function logOf(
  directory: string,
): Promise<{ readonly seq: bigint; readonly chain: string; readonly bodies: string[] }> {
  await using log = await openLevelLog(directory, { readOnly: true });
  const bodies: string[] = [];
  for await (const { body } of log.read()) bodies.push(encodeHex(body));
  const { seq, chain } = log.head();
  return { seq, chain, bodies };
}

/** The stable code with which something was refused. */
export async function codeOfRefusal(action: Promise<unknown>): Promise<unknown> {
  try {
    await action;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "no refusal";
}
