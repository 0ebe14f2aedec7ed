import { openToRead } from "../../store/open-to-read.ts";
import { notCreated } from "../open-on-log.ts";
import type { ReplayOptions } from "../replay.ts";
import { restore } from "../restore.ts";
import { statusOf, type WalletStatus } from "../view.ts";
import { WALLET } from "../wallet-state.ts";

/**
 * What a directory says of its wallet, recomputed from the log alone: no seed, no network, nothing is appended. Where the
 * wallet is open, here or in another process, that one is asked for what is committed.
 *
 * @throws HeartwoodError `WALLET_NOT_CREATED`, `LOG_UNREADABLE`, `LOG_MISMATCH`; StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`,
 * `STORE_LOCKED` if it is open and does not answer, `STORE_OWNER_LOST`, any code of damage
 */
export async function readWallet(directory: string, options: ReplayOptions = {}): Promise<WalletStatus> {
  const log = await openToRead(directory, { verify: "needed", ...storeOptions(options) });
  try {
    const { state } = await restore(log, options);
    if (state.instances.get(WALLET) === undefined) throw notCreated();
    return statusOf(state);
  } finally {
    await log.close();
  }
}

/** Those options that are the store's business too. */
export function storeOptions({ signal, onProgress }: ReplayOptions): ReplayOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) };
}
