import type { WalletKeys } from "../ark/keys.ts";
import { esplora } from "../chain/esplora.ts";
import type { ChainSource } from "../chain/source.ts";
import { machines } from "../machines/registry.ts";
import type { MachineDefinition } from "../machines/step.ts";
import type { EventLog } from "../store/event-log.ts";
import { isNetwork, type Network } from "../streams/server-info.ts";
import { Engine, type Place } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { Keyring } from "./keyring.ts";
import { migrationsDue } from "./migrations.ts";
import { newWallet, type WalletOptions } from "./options.ts";
import type { Ports } from "./ports.ts";
import { canSnapshot, restore } from "./restore.ts";
import type { Dispatch } from "./run-loop.ts";
import { unfailing } from "./unfailing.ts";
import { verifyRest } from "./verify-rest.ts";
import { statusOf } from "./view.ts";
import { Wallet } from "./wallet.ts";
import { CONNECTION, RECOVERY, WALLET, type WalletState } from "./wallet-state.ts";

/** A package that gets no answer is tried again whole, so single questions need not be repeated for long. */
const CHAIN_RETRIES = 3;

/**
 * Replays a log and goes on with it; the log is the wallet's from now on, and is closed with it.
 *
 * @param among the machines of this build; a test may give others
 * @throws HeartwoodError `WALLET_NOT_CREATED`, `WALLET_EXISTS`, `WALLET_SEED_MISMATCH`, `WALLET_WRONG_NETWORK`, `BAD_OPTION`,
 * `LOG_UNREADABLE`, `LOG_MISMATCH`, `MIGRATION_FAILED`; StoreError for damage; the reason of `signal`. The log is left open then.
 */
export async function openOnLog(
  log: EventLog,
  keys: WalletKeys,
  given: Ports,
  options: WalletOptions,
  among: readonly MachineDefinition[] = machines,
): Promise<Wallet> {
  const ports = { ...given, logger: unfailing(given.logger) };
  const { state: committed, snapshotSeq } = await restore(log, options, among);
  const isNew = committed.seq === 0n;
  if (isNew && options.create !== true) throw notCreated();
  if (!isNew && options.restore === true && committed.instances.get(RECOVERY) === undefined) {
    const message = "expected no wallet there, or one whose restore was begun, got another: sync() brings it up to date";
    throw new HeartwoodError("WALLET_EXISTS", message);
  }
  const known = isNew ? newWallet(options) : remembered(committed, keys, options);
  const migrations = migrationsDue(committed);
  const engine = new Engine({
    log,
    snapshotSeq,
    committed,
    keyring: new Keyring(keys, ports.clock, ports.randomness),
    chain: chainOf(options.chain ?? known.chainUrl),
    place: known,
    ports,
    limits: options.unsolicited,
    confirmations: options.confirmations,
  });
  const { fingerprint } = keys;
  const { network, serverUrl, chainUrl } = known;
  if (options.onRestore !== undefined) engine.recovery.onProgress = unfailing(options.onRestore);
  if (options.restoreLookAhead !== undefined) engine.recovery.lookAhead = options.restoreLookAhead;
  if (isNew) {
    const created: Dispatch = { instance: WALLET, event: { type: "wallet.created", network, fingerprint, serverUrl, chainUrl } };
    const requested: Dispatch = { instance: RECOVERY, event: { type: "recovery.requested" } };
    engine.loop.dispatch(created, ...(options.restore === true ? [requested] : []));
  }
  engine.loop.dispatch(...migrations, { instance: WALLET, event: { type: "wallet.opened", epoch: log.head().epoch } });
  await engine.feed({ instance: CONNECTION, event: { type: "process.restarted" } }).committed;
  if (canSnapshot(log) && log.unverifiedUpTo > 0n) void verifyRest(log, engine);
  return Wallet.on(engine, log);
}

/** What the directory remembers, after checking that it is this owner's. */
function remembered(state: WalletState, keys: WalletKeys, options: WalletOptions): Place {
  const status = statusOf(state);
  if (status.fingerprint !== keys.fingerprint) {
    throw new HeartwoodError(
      "WALLET_SEED_MISMATCH",
      `expected the seed with fingerprint ${status.fingerprint}, got ${keys.fingerprint}`,
    );
  }
  const isUsed = status.serverPubkey !== null;
  // One that never reached a server may still be corrected: nothing hangs on its network.
  const network = isUsed ? networkOf(status.network) : (options.network ?? networkOf(status.network));
  if (options.network !== undefined && options.network !== network) {
    throw new HeartwoodError("WALLET_WRONG_NETWORK", `expected ${network}, the network of this wallet, got ${options.network}`);
  }
  const chainUrl = typeof options.chain === "string" ? options.chain : status.chainUrl;
  return { network, serverUrl: options.server ?? status.serverUrl, chainUrl };
}

function chainOf(chain: string | ChainSource): ChainSource {
  if (chain === "")
    throw new HeartwoodError("BAD_OPTION", "option chain: expected the source that this wallet was made with, got none");
  return typeof chain === "string" ? esplora(chain, { retries: CHAIN_RETRIES }) : chain;
}

function networkOf(text: string): Network {
  if (!isNetwork(text)) throw new HeartwoodError("LOG_UNREADABLE", `expected a network that this build knows, got ${text}`);
  return text;
}

/** A log without a wallet in it: its creation was interrupted. */
export function notCreated(): HeartwoodError {
  return new HeartwoodError("WALLET_NOT_CREATED", "expected a wallet in the log, got an empty one: open it with create");
}
