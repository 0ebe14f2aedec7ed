import { WalletKeys } from "../../ark/keys.ts";
import { esplora } from "../../chain/esplora.ts";
import type { ChainSource } from "../../chain/source.ts";
import { createLevelLog } from "../../store/create-level-log.ts";
import { isStoreError } from "../../store/errors.ts";
import type { EventLog } from "../../store/event-log.ts";
import { openLevelLog } from "../../store/level-log.ts";
import { isNetwork, type Network } from "../../streams/server-info.ts";
import { checkServerUrl } from "../../streams/server-url.ts";
import { Engine } from "../engine.ts";
import { HeartwoodError } from "../errors.ts";
import { Keyring } from "../keyring.ts";
import { checkOptions, newWallet, type OpenOptions } from "../options.ts";
import { replay } from "../replay.ts";
import { statusOf } from "../view.ts";
import { Wallet } from "../wallet.ts";
import { CONNECTION, WALLET, WalletState } from "../wallet-state.ts";
import { defaultPorts } from "./default-ports.ts";
import { notCreated, storeOptions } from "./read-wallet.ts";

/**
 * Opens a wallet directory, or with `create` makes it. Needs no network.
 *
 * The log is verified and replayed; a seed, network or directory that does not fit is refused and nothing is changed.
 *
 * @throws HeartwoodError `BAD_OPTION`, `WALLET_NOT_CREATED`, `WALLET_SEED_MISMATCH`, `WALLET_WRONG_NETWORK`,
 * `LOG_UNREADABLE`, `LOG_MISMATCH`; StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_LOCKED`, any code of damage;
 * ArkError `BAD_MNEMONIC`, `BAD_SEED`; StreamError `BAD_URL`, ChainError for a bad address; the reason of `signal`
 */
export async function openWallet(options: OpenOptions): Promise<Wallet> {
  checkOptions(options);
  if (options.server !== undefined) checkServerUrl(options.server, { allowPlaintext: false });
  const chain = options.chain === undefined ? undefined : chainOf(options.chain);
  const keys = await keysOf(options);
  try {
    if (options.create === true) {
      newWallet(options);
      await createUnlessThere(options.directory);
    }
    const log = await openLevelLog(options.directory, storeOptions(options));
    try {
      return await openOn(log, keys, chain, options);
    } catch (error) {
      await log.close();
      throw error;
    }
  } catch (error) {
    keys.wipe();
    throw error;
  }
}

async function openOn(log: EventLog, keys: WalletKeys, given: ChainSource | undefined, options: OpenOptions): Promise<Wallet> {
  const [pending, committed] = [new WalletState(), new WalletState()];
  await replay(log, [pending, committed], options);
  const ports = { ...defaultPorts, ...options.ports };
  const isNew = committed.seq === 0n;
  if (isNew && options.create !== true) throw notCreated(options.directory);
  const known = isNew ? newWallet(options) : remembered(committed, keys, options);
  const engine = new Engine({
    log,
    pending,
    committed,
    keyring: new Keyring(keys, ports.clock, ports.randomness),
    chain: given ?? chainOf(known.chainUrl),
    network: known.network,
    ports,
  });
  const { fingerprint } = keys;
  const { network, serverUrl, chainUrl } = known;
  if (isNew) engine.feed({ instance: WALLET, event: { type: "wallet.created", network, fingerprint, serverUrl, chainUrl } });
  engine.feed({ instance: WALLET, event: { type: "wallet.opened", epoch: log.head().epoch } });
  engine.feed({ instance: WALLET, event: { type: "wallet.configured", serverUrl, chainUrl } });
  await engine.feed({ instance: CONNECTION, event: { type: "process.restarted" } }).committed;
  return new Wallet(engine, log);
}

/** What the directory remembers, after checking that it is this owner's. */
function remembered(state: WalletState, keys: WalletKeys, options: OpenOptions) {
  const status = statusOf(state);
  if (status.fingerprint !== keys.fingerprint) {
    throw new HeartwoodError(
      "WALLET_SEED_MISMATCH",
      `expected the seed with fingerprint ${status.fingerprint}, got ${keys.fingerprint}`,
    );
  }
  const network = networkOf(status.network);
  if (options.network !== undefined && options.network !== network) {
    throw new HeartwoodError("WALLET_WRONG_NETWORK", `expected ${network}, the network of this wallet, got ${options.network}`);
  }
  const chainUrl = typeof options.chain === "string" ? options.chain : status.chainUrl;
  return { network, serverUrl: options.server ?? status.serverUrl, chainUrl };
}

async function keysOf({ seed, mnemonic }: OpenOptions): Promise<WalletKeys> {
  return seed !== undefined ? WalletKeys.fromSeed(await seed()) : WalletKeys.fromMnemonic(await mnemonic());
}

async function createUnlessThere(directory: string): Promise<void> {
  try {
    await createLevelLog(directory);
  } catch (error) {
    if (!isStoreError(error, "STORE_EXISTS")) throw error;
  }
}

function chainOf(chain: string | ChainSource): ChainSource {
  if (chain === "")
    throw new HeartwoodError("BAD_OPTION", "option chain: expected the source that this wallet was made with, got none");
  return typeof chain === "string" ? esplora(chain) : chain;
}

function networkOf(text: string): Network {
  if (!isNetwork(text)) throw new HeartwoodError("LOG_UNREADABLE", `expected a network that this build knows, got ${text}`);
  return text;
}
