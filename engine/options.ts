import type { ChainSource } from "../chain/source.ts";
import { isNetwork, NETWORKS, type Network } from "../streams/server-info.ts";
import { HeartwoodError } from "./errors.ts";
import type { Ports } from "./ports.ts";
import type { ReplayProgress } from "./replay.ts";

/** Where the wallet's keys come from; called once while opening. */
export type SecretSource =
  /** 64 bytes of BIP-39 seed; copied, so the caller may overwrite them. */
  | { readonly seed: () => Uint8Array | Promise<Uint8Array>; readonly mnemonic?: never }
  /** English BIP-39 words, empty passphrase. A string cannot be overwritten in memory; prefer `seed`. */
  | { readonly mnemonic: () => string | Promise<string>; readonly seed?: never };

/** How to open a wallet. What is remembered in the directory may be left out later. */
export type OpenOptions = SecretSource & {
  /** The wallet's directory, its own alone. */
  readonly directory: string;
  /** Makes the wallet if the directory is absent or empty; refused if there is one already and this is `"new"`. */
  readonly create?: boolean;
  /** The Ark server, such as `https://ark.example`. Remembered. */
  readonly server?: string;
  /** The chain source: an Esplora URL (remembered), or an own implementation. */
  readonly chain?: string | ChainSource;
  /** Remembered, and never changed. */
  readonly network?: Network;
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
 * @throws HeartwoodError `BAD_OPTION`
 */
export function checkOptions(options: OpenOptions): void {
  if (typeof options.directory !== "string" || options.directory === "") throw bad("directory", "a path", options.directory);
  if (options.network !== undefined && !isNetwork(options.network)) throw bad("network", NETWORKS.join(", "), options.network);
  if ((options.seed === undefined) === (options.mnemonic === undefined))
    throw bad("seed or mnemonic", "exactly one of the two", "not so");
}

/**
 * What a new wallet has to be told.
 *
 * @throws HeartwoodError `BAD_OPTION` naming what is missing
 */
export function newWallet(options: OpenOptions): { network: Network; serverUrl: string; chainUrl: string } {
  const { network, server, chain } = options;
  if (network === undefined) throw bad("network", `one of ${NETWORKS.join(", ")} for a new wallet`, "none");
  if (server === undefined) throw bad("server", "the address of an Ark server for a new wallet", "none");
  if (chain === undefined) throw bad("chain", "a chain source for a new wallet", "none");
  return { network, serverUrl: server, chainUrl: typeof chain === "string" ? chain : "" };
}

function bad(option: string, expected: string, got: unknown): HeartwoodError {
  return new HeartwoodError("BAD_OPTION", `option ${option}: expected ${expected}, got ${String(got)}`);
}
