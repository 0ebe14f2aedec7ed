import { openToRead } from "../../store/open-to-read.ts";
import { type RecordView, viewRecord } from "../record-view.ts";
import type { ReplayOptions } from "../replay.ts";
import { storeOptions } from "./read-wallet.ts";

/** Which records of a directory to look at. */
export interface RecordsOptions extends ReplayOptions {
  /** First record, 1 if not given. */
  readonly from?: bigint;
  /** Only those of an instance such as `mailbox/main`, or of all whose names begin with it and a slash: `message`. */
  readonly instance?: string;
}

/**
 * The records of a wallet's directory, verified, in order and one at a time: no seed, no network, nothing is appended.
 * A live owner is asked for what is committed; without one the directory is locked until the iteration ends, and
 * `onProgress` hears of its verification before the first record.
 *
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_LOCKED`, `STORE_OWNER_LOST`, `STORE_OUT_OF_RANGE` if `from` is below 1, any
 * code of damage; the reason of `signal`
 */
export async function* readRecords(directory: string, options: RecordsOptions = {}): AsyncGenerator<RecordView, void, undefined> {
  const { from = 1n, instance, signal } = options;
  await using log = await openToRead(directory, { verify: "needed", ...storeOptions(options) });
  for await (const stored of log.read({ from, ...(signal === undefined ? {} : { signal }) })) {
    const name = stored.record.instance;
    if (instance === undefined || name === instance || name.startsWith(`${instance}/`)) yield viewRecord(stored);
  }
}
