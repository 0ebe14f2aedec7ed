import { setTimeout as delay } from "node:timers/promises";
import { WalletKeys } from "../../ark/keys.ts";
import type { FramedLog } from "../../store/backed-log.ts";
import { createLevelLog } from "../../store/create-level-log.ts";
import { isStoreError } from "../../store/errors.ts";
import type { EventLog } from "../../store/event-log.ts";
import { openLevelLog } from "../../store/level-log.ts";
import { openOnLog } from "../open-on-log.ts";
import { checkOptions, newWallet, type OpenOptions, type WalletOptions } from "../options.ts";
import { unfailing } from "../unfailing.ts";
import type { Wallet } from "../wallet.ts";
import { defaultPorts } from "./default-ports.ts";
import { offerLog } from "./offer-log.ts";
import { storeOptions } from "./read-wallet.ts";

/** How long an opening waits for somebody who only looks, and how often it tries again. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 50;

/**
 * Opens a wallet directory, or with `create` makes it. Needs no network.
 *
 * What the log says is restored from its newest snapshot and the records after it, which are verified; after an unclean
 * stop more is, after another start of the machine everything. Somebody who only looks is waited for, for a second. A
 * seed, network or directory that does not fit is refused and nothing is changed.
 *
 * @throws HeartwoodError `BAD_OPTION`, `WALLET_NOT_CREATED`, `WALLET_SEED_MISMATCH`, `WALLET_WRONG_NETWORK`,
 * `LOG_UNREADABLE`, `LOG_MISMATCH`; StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_LOCKED`, any code of damage;
 * ArkError `BAD_MNEMONIC`, `BAD_SEED`; StreamError `BAD_URL`, `PLAINTEXT_REFUSED`, ChainError for a bad address; the
 * reason of `signal`
 */
export async function openWallet(options: OpenOptions): Promise<Wallet> {
  checkOptions(options);
  return openWith(
    options,
    () => openDirectory(options),
    async (log, wallet) => {
      const service = await offerLog(options.directory, log, unfailing(options.ports?.logger ?? defaultPorts.logger));
      if (service !== undefined) wallet.attach(service);
    },
  );
}

async function openDirectory(options: OpenOptions): Promise<FramedLog> {
  try {
    return await openWhenLookedAt(options);
  } catch (error) {
    if (options.create !== true || !isStoreError(error, "STORE_NOT_FOUND")) throw error;
    newWallet(options); // before anything is made
    await createLevelLog(options.directory);
    return openLevelLog(options.directory, storeOptions(options));
  }
}

/** Others look for as long as a piece of the log takes to be read: that is waited for, a longer look is refused. */
async function openWhenLookedAt(options: OpenOptions): Promise<FramedLog> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      return await openLevelLog(options.directory, { verify: "needed", ...storeOptions(options) });
    } catch (error) {
      const isLook = isStoreError(error, "STORE_LOCKED") && error.holder?.readOnly === true;
      if (!isLook || waitedMs >= PATIENCE_MS) throw error;
    }
    await delay(RETRY_MS);
  }
}

/**
 * Opens a wallet on a log of any back end: in memory for tests, or an own one. The log is closed with the wallet.
 *
 * @throws as {@link openWallet}
 */
export async function openWalletOn(log: EventLog, options: WalletOptions): Promise<Wallet> {
  checkOptions(options);
  return openWith(options, async () => log);
}

async function openWith<Log extends EventLog>(
  options: WalletOptions,
  openLog: () => Promise<Log>,
  opened: (log: Log, wallet: Wallet) => Promise<void> = async () => undefined,
): Promise<Wallet> {
  const keys = await keysOf(options);
  try {
    const log = await openLog();
    try {
      const wallet = await openOnLog(log, keys, { ...defaultPorts, ...options.ports }, options);
      await opened(log, wallet);
      return wallet;
    } catch (error) {
      await log.close();
      throw error;
    }
  } catch (error) {
    keys.wipe();
    throw error;
  }
}

async function keysOf({ seed, mnemonic }: WalletOptions): Promise<WalletKeys> {
  return seed !== undefined ? WalletKeys.fromSeed(await seed()) : WalletKeys.fromMnemonic(await mnemonic());
}
