import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filter, firstValueFrom, timeout } from "rxjs";
import { onTestFinished } from "vitest";
import { Heartwood, type OpenOptions, type Wallet, type WalletEvent } from "../../engine/index.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.ts";

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
export function walletOptions(simulator: Simulator, directory: string): OpenOptions {
  return {
    directory,
    mnemonic: () => MNEMONIC,
    server: simulator.serverUrl,
    chain: simulator.chainUrl,
    network: "regtest",
    create: true,
  };
}

/** Opens a wallet that is closed after the test. */
export async function openWallet(options: OpenOptions): Promise<Wallet> {
  const wallet = await Heartwood.open(options);
  onTestFinished(() => wallet.close());
  return wallet;
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
