import { esplora } from "../chain/esplora.ts";
import type { ChainSource } from "../chain/source.ts";
import { isNetwork, NETWORKS, type Network } from "../streams/server-info.ts";
import { checkServerUrl } from "../streams/server-url.ts";
import { HeartwoodError } from "./errors.ts";
import { LOOK_AHEAD } from "./keyring.ts";
import type { Ports } from "./ports.ts";
import type { RestoreProgress } from "./recovery.ts";
import type { ReplayProgress } from "./replay.ts";
import type { UnsolicitedLimits } from "./unsolicited.ts";

const MOST_LOOK_AHEAD = 30_000;

/** Where the wallet's keys come from; called once while opening. */
export type SecretSource =
  /** 64 bytes of BIP-39 seed; copied, so the caller may overwrite them. */
  | { readonly seed: () => Uint8Array | Promise<Uint8Array>; readonly mnemonic?: never }
  /** English BIP-39 words, empty passphrase. A string cannot be overwritten in memory; prefer `seed`. */
  | { readonly mnemonic: () => string | Promise<string>; readonly seed?: never };

/** How to open a wallet in a directory. */
export type OpenOptions = WalletOptions & {
  /** The wallet's directory, its own alone. */
  readonly directory: string;
};

/** How to open a wallet. What it remembers may be left out later. */
export type WalletOptions = SecretSource & {
  /** Makes the wallet if there is none yet, and opens it if there is. */
  readonly create?: boolean;
  /**
   * With `create`: the new wallet asks the server at its first connection for what this seed had before. Use
   * `Heartwood.restore`.
   */
  readonly restore?: boolean;
  /**
   * How many keys behind the last one that was found a restore looks for owners, while some VTXOs are unmatched (mailbox.md
   * W-50): 1,000 to 30,000; 20,000 unless given. Each costs about a millisecond, once.
   */
  readonly restoreLookAhead?: number;
  /** Called while what the seed had before is fetched and checked. */
  readonly onRestore?: (progress: RestoreProgress) => void;
  /** The Ark server, such as `https://ark.example`. Remembered. */
  readonly server?: string;
  /** The chain source: an Esplora URL (remembered), or an own implementation. */
  readonly chain?: string | ChainSource;
  /** Remembered, and never changed. */
  readonly network?: Network;
  /**
   * How many confirmations the on-chain transaction behind a VTXO must have before the VTXO is money: 1 to 100, 1 unless
   * given. Until then it counts as unconfirmed.
   */
  readonly confirmations?: number;
  /**
   * How much of what nobody asked for may go into the log in a day: 16 MiB and 20,000 messages and held items unless
   * given, not counting a notice for each own payment. What comes above the bytes is read from the server again when it is
   * needed; above the number, reading slows down.
   */
  readonly unsolicited?: Partial<UnsolicitedLimits>;
  /** Gives up opening. */
  readonly signal?: AbortSignal;
  /** Called while the log is verified and replayed. */
  readonly onProgress?: (progress: ReplayProgress) => void;
  /** Replaces parts of the outside world, for tests. */
  readonly ports?: Partial<Ports>;
};

/**
 * Refuses options that no wallet can be opened with, before anything is touched.
 *
 * @throws HeartwoodError `BAD_OPTION`; StreamError `BAD_URL`, `PLAINTEXT_REFUSED`; ChainError for a bad address
 */
export function checkOptions(options: WalletOptions | OpenOptions): void {
  const { network, server, chain, restoreLookAhead: keys, unsolicited, confirmations } = options;
  if (keys !== undefined && !(Number.isInteger(keys) && keys >= LOOK_AHEAD && keys <= MOST_LOOK_AHEAD)) {
    throw bad("restoreLookAhead", `a number of ${LOOK_AHEAD} to ${MOST_LOOK_AHEAD}`, keys);
  }
  if (confirmations !== undefined && !(Number.isInteger(confirmations) && confirmations >= 1 && confirmations <= 100)) {
    throw bad("confirmations", "a number of 1 to 100", confirmations);
  }
  if ("directory" in options && (typeof options.directory !== "string" || options.directory === "")) {
    throw bad("directory", "a path", options.directory);
  }
  for (const [name, limit] of Object.entries(unsolicited ?? {})) {
    if (!Number.isSafeInteger(limit) || limit < 0) throw bad(`unsolicited.${name}`, "a number, 0 or more", limit);
  }
  if (network !== undefined && !isNetwork(network)) throw bad("network", NETWORKS.join(", "), network);
  if ((options.seed === undefined) === (options.mnemonic === undefined))
    throw bad("seed or mnemonic", "exactly one", "both or none");
  if (server !== undefined) checkServerUrl(server, { allowPlaintext: false });
  if (typeof chain === "string") esplora(chain);
}

/**
 * What a new wallet has to be told.
 *
 * @throws HeartwoodError `BAD_OPTION` naming what is missing
 */
export function newWallet(options: WalletOptions): { network: Network; serverUrl: string; chainUrl: string } {
  const { network, server, chain } = options;
  if (network === undefined) throw bad("network", `one of ${NETWORKS.join(", ")} for a new wallet`, "none");
  if (server === undefined) throw bad("server", "the address of an Ark server for a new wallet", "none");
  if (chain === undefined) throw bad("chain", "a chain source for a new wallet", "none");
  return { network, serverUrl: server, chainUrl: typeof chain === "string" ? chain : "" };
}

function bad(option: string, expected: string, got: unknown): HeartwoodError {
  return new HeartwoodError("BAD_OPTION", `option ${option}: expected ${expected}, got ${String(got)}`);
}
