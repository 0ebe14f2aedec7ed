import { basename, resolve } from "node:path";
import { Heartwood, type Wallet } from "heartwood";
import { HistoryFeed } from "./history-feed.ts";
import { type Inspection, type InspectOptions, serve } from "./host.ts";

/** Options of {@link inspectLog}. */
export interface InspectLogOptions extends InspectOptions {
  /** Hears how far the verification of the log has come, before the page is served. */
  readonly onProgress?: (progress: { readonly seq: bigint; readonly total: bigint }) => void;
}

/**
 * Shows a running wallet in the state visualizer: one page on 127.0.0.1, for whoever has the address. It can only be
 * looked at. Close it before the wallet; a wallet that is closed first ends the page's feed.
 *
 * @throws HeartwoodError `WALLET_CLOSED`; the system's error if the port is taken; the reason of `signal`
 */
export async function inspect(wallet: Wallet, options: InspectOptions = {}): Promise<Inspection> {
  return serve(new HistoryFeed(wallet.history(), "running wallet"), options);
}

/**
 * Shows a log in the state visualizer, read-only: a wallet's directory, also while another process has it open, a copy of
 * one, or an export file. No seed, no network. A long log is read on while the page is served.
 *
 * @throws as `Heartwood.history`; the system's error if the port is taken
 */
export async function inspectLog(path: string, options: InspectLogOptions = {}): Promise<Inspection> {
  const { signal, onProgress } = options;
  const history = await Heartwood.history(path, {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return serve(new HistoryFeed(history, basename(resolve(path))), options);
}
