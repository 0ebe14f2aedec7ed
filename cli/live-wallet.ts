import type { Wallet, WalletEvent } from "heartwood";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { CliError } from "./errors.ts";
import { escapeText } from "./escape.ts";
import { formatDuration, plural } from "./format.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";
import { timeoutOption, withTimeout } from "./timeout.ts";
import { readOpenOptions, walletOptions, withProgress } from "./wallet-options.ts";

const { "mnemonic-file": mnemonicFile, server, chain } = walletOptions;

/** Options of the commands that do something with the keys of a wallet that there is. */
export const keyOptions: Readonly<Record<string, OptionSpec>> = {
  ...(mnemonicFile === undefined ? {} : { "mnemonic-file": mnemonicFile }),
  ...(server === undefined ? {} : { server }),
  ...(chain === undefined ? {} : { chain }),
  json: { describes: "print an object of JSON instead" },
};

/** Options of those of them that wait for the server. */
export const liveOptions: Readonly<Record<string, OptionSpec>> = { ...keyOptions, ...timeoutOption };

/** A wallet that is connected, until the work with it is done. */
export interface LiveWallet {
  readonly wallet: Wallet;
  /** Aborted by an interrupt, or when the time of `--timeout` is over. */
  readonly signal: AbortSignal;
  /** Shows what is going on, on standard error. */
  readonly progress: Progress;
}

/**
 * Opens the wallet that a command line names, connects it, and lets it go when the work is done.
 *
 * @throws CliError `WALLET_STOPPED` for a server that it cannot use, `INTERRUPTED`, `TIMED_OUT`; what opening and the work throw
 */
export async function withLiveWallet<T>(given: Arguments, output: Output, work: (live: LiveWallet) => Promise<T>): Promise<T> {
  const options = await readOpenOptions(given, output);
  const signal = withTimeout(
    given,
    abortOnInterrupt(() => output.message("closing (interrupt again to end at once)")),
  );
  const { Heartwood } = await import("heartwood");
  await using wallet = await withProgress(options.directory, (onProgress) => Heartwood.open({ ...options, onProgress, signal }));
  const progress = new Progress(process.stderr);
  try {
    await connect(wallet, progress, signal);
    return await work({ wallet, signal, progress });
  } finally {
    progress.clear();
  }
}

/** Resolves when the mailbox is read to its end, or a package in it is in the way: payments go on all the same. */
export async function connect(wallet: Wallet, progress: Progress, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { serverUrl, chainUrl } = wallet.status();
  const sinceMs = performance.now();
  const passed = (): string => formatDuration(performance.now() - sinceMs);
  let [attempts, waitsFor] = [0, escapeText(serverUrl)];
  progress.update(`connecting to ${waitsFor}`, passed);
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(endedWaiting(signal.reason, waitsFor, attempts));
    signal.addEventListener("abort", abort, { once: true });
    const subscription = wallet.events$.subscribe({ next: consider, error: reject });
    wallet.start();
    function consider(event: WalletEvent): void {
      const isReady = event.type === "package.halted" || (event.type === "connection.changed" && event.state === "Live");
      if (isReady) {
        signal.removeEventListener("abort", abort);
        subscription.unsubscribe();
        resolve();
      } else if (event.type === "connection.changed" && event.code !== null) {
        if (event.state === "Stopped") reject(stopped(event.code));
        else tellWait(event.code);
      }
    }
    function tellWait(code: string): void {
      attempts++;
      waitsFor = `${escapeText(code.startsWith("CHAIN_") ? chainUrl : serverUrl)} (${escapeText(code)})`;
      progress.update(() => `waiting for ${waitsFor}: ${plural(attempts, "attempt")} in ${passed()}`);
    }
  });
}

function stopped(code: string): CliError {
  return new CliError("WALLET_STOPPED", `expected a server that this wallet can use, got ${code}`);
}

/** Why a command ended, with what it was waiting for. */
function endedWaiting(reason: unknown, waitsFor: string, attempts: number): unknown {
  if (!(reason instanceof CliError)) return reason;
  const tried = attempts === 0 ? "" : ` in ${plural(attempts, "attempt")}`;
  return new CliError(reason.code, `${reason.message}, waiting for ${waitsFor}${tried}; nothing was begun`);
}
