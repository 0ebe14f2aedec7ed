import { stat } from "node:fs/promises";
import type { FramedLog } from "../../store/backed-log.ts";
import { openExport } from "../../store/open-export.ts";
import { LiveLog, openToRead } from "../../store/open-to-read.ts";
import { History } from "../history.ts";
import type { HistorySource } from "../history-types.ts";
import type { ReplayOptions } from "../replay.ts";
import { LiveSource } from "./live-source.ts";
import { offerLog } from "./offer-log.ts";
import { storeOptions } from "./read-wallet.ts";

/**
 * Opens a log to look around in: a wallet's directory, a copy of one, or an export file. No seed, no network, nothing is
 * appended. Of a live owner it takes what is committed, and goes on as that grows, and when it has gone and come back; without
 * one the directory is locked until the history is closed: no wallet can be opened in it, but others who only look are
 * answered.
 *
 * @param path a directory or an export file
 * @throws StoreError `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_LOCKED` if the owner does not answer, `STORE_BAD_EXPORT`, any
 * code of damage; the reason of `signal`
 */
export async function openHistory(path: string, options: ReplayOptions = {}): Promise<History> {
  const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
  if (isFile) return History.of(stillSource(await openExport(path, storeOptions(options))));
  const log = await openToRead(path, { verify: "end", ...storeOptions(options) });
  return History.of(log instanceof LiveLog ? new LiveSource(path, log) : await offeredSource(path, log));
}

/** The directory is locked, so others who only look at it are answered meanwhile. */
async function offeredSource(directory: string, log: FramedLog): Promise<HistorySource> {
  const service = await offerLog(directory, log, () => {});
  return {
    ...stillSource(log),
    async [Symbol.asyncDispose]() {
      await service?.[Symbol.asyncDispose]();
      await log.close();
    },
  };
}

function stillSource(log: FramedLog): HistorySource {
  return { log: () => log, isLive: false, isShared: false, grown: async () => false, [Symbol.asyncDispose]: () => log.close() };
}
