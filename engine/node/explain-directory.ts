import { openToRead } from "../../store/open-to-read.ts";
import { type Explanation, explain } from "../explain.ts";
import type { ReplayOptions } from "../replay.ts";
import { transitionsOf } from "../transitions-of.ts";
import { storeOptions } from "./read-wallet.ts";

/**
 * Explains something in a wallet's directory, as `Wallet.explain` does: no seed, no network, nothing is appended. A live
 * owner is asked for what is committed.
 *
 * @throws HeartwoodError `NOT_FOUND`, `AMBIGUOUS_ID`, `LOG_UNREADABLE`; StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`,
 * `STORE_LOCKED`, `STORE_OWNER_LOST`, any code of damage; the reason of `signal`
 */
export async function explainDirectory(directory: string, id: string, options: ReplayOptions = {}): Promise<Explanation> {
  await using log = await openToRead(directory, { verify: "needed", ...storeOptions(options) });
  // Awaited, because the log is closed when this ends.
  return await explain(() => transitionsOf(log, options), id);
}
