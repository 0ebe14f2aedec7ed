import type { OpenOptions } from "../options.ts";
import type { Wallet } from "../wallet.ts";
import { openWallet } from "./open-wallet.ts";

/**
 * Makes a wallet of a seed alone in a directory that is absent or empty, with what the seed had before as far as server and chain source say it: ids from the
 * recovery mailbox, the server's copy of each, checked like anything that is received; then the mailbox from its beginning.
 *
 * Returns the wallet, open, when both were gone through once; `status().restore` says what could not be restored. One that
 * was interrupted, by a kill too, goes on when it is called again or the wallet connects in any other way.
 *
 * Not restored is what only the lost directory knew: the history as it was, addresses given out, open payments.
 *
 * @throws HeartwoodError `WALLET_EXISTS` where another wallet is, `SERVER_KEY_CHANGED`, `MAILBOX_STUCK`; as {@link openWallet};
 * as `Wallet.sync`, if server or chain source cannot be reached; the reason of `signal`
 */
export async function restoreWallet(options: OpenOptions): Promise<Wallet> {
  const wallet = await openWallet({ ...options, create: true, restore: true });
  try {
    const isDone = wallet.status().restore?.state === "restored";
    if (!isDone) await wallet.sync(options.signal === undefined ? {} : { signal: options.signal });
    return wallet;
  } catch (error) {
    await wallet.close();
    throw error;
  }
}
