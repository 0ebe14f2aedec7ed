import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fromHex } from "./bytes.ts";
import { firstLink } from "./chain.ts";
import { errorCode, StoreError, toStoreError } from "./errors.ts";
import type { EventLog, LogHead } from "./event-log.ts";
import { ExportEncoder } from "./export-format.ts";
import { FILE_MODE, syncDirectory } from "./files.ts";
import { sealFrame } from "./frame.ts";
import { openToRead } from "./open-to-read.ts";
import type { VerifyOptions, VerifyProgress } from "./verify-log.ts";

const WRITE_CHARACTERS = 1024 * 1024;

/** How far an export has come: all is read once to verify it, and once to write it. */
export interface ExportProgress extends VerifyProgress {
  readonly step: "verifying" | "writing";
}

/** Options of {@link exportLog}. */
export interface ExportOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
}

/**
 * A log as the text of an export file, a line at a time (docs/log-format.md §9): every frame verbatim, between a header
 * and a footer without which it is refused. Takes the log as it is at the call; what is appended later is not in it.
 *
 * @throws StoreError a code of damage, `STORE_CLOSED`; the reason of `signal`
 */
export async function* exportLines(log: EventLog, options: VerifyOptions = {}): AsyncGenerator<string, LogHead, undefined> {
  const { signal, onProgress } = options;
  const head = log.head();
  const encoder = new ExportEncoder();
  yield encoder.header(head.logId);
  let chain = firstLink(fromHex(head.logId));
  if (head.seq > 0n) {
    for await (const stored of log.read({ to: head.seq, ...(signal === undefined ? {} : { signal }) })) {
      const sealed = sealFrame(chain, stored);
      chain = sealed.chain;
      yield encoder.frame(sealed.bytes);
      onProgress?.({ seq: stored.seq, total: head.seq });
    }
  }
  yield encoder.footer(head);
  return head;
}

/**
 * Writes all frames of a directory's log to a new file that only its owner can read. The log is verified; nothing is
 * appended to it. That of a live owner is written up to what was committed at the beginning. On failure no file is left.
 *
 * @returns the end of the log that was written
 * @throws StoreError `STORE_EXISTS` if there is a file of that name, `STORE_NOT_FOUND` if its directory is missing,
 * `STORE_FULL`, `STORE_IO`; `STORE_OWNER_LOST`; anything that opening a log refuses; the reason of `signal`
 */
export async function exportLog(directory: string, file: string, options: ExportOptions = {}): Promise<LogHead> {
  await using log = await openToRead(directory, during("verifying", options));
  const handle = await createFile(file);
  try {
    const head = await write(handle, exportLines(log, during("writing", options)));
    await handle.sync();
    await handle.close();
    await syncDirectory(dirname(resolve(file)));
    return head;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    if (options.signal?.aborted === true && error === options.signal.reason) throw error;
    throw toStoreError(error, `writing ${file}`);
  }
}

function during(step: ExportProgress["step"], { signal, onProgress }: ExportOptions): VerifyOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: ({ seq, total }) => onProgress({ step, seq, total }) }),
  };
}

async function createFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, "wx", FILE_MODE);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") throw new StoreError("STORE_EXISTS", `expected no file at ${file}, got one`, { cause: error });
    if (code === "ENOENT") {
      throw new StoreError("STORE_NOT_FOUND", `expected the directory of ${file}, got none`, { cause: error });
    }
    throw toStoreError(error, `creating ${file}`);
  }
}

async function write(handle: FileHandle, lines: AsyncGenerator<string, LogHead, undefined>): Promise<LogHead> {
  let waiting: string[] = [];
  let length = 0;
  for (;;) {
    const next = await lines.next();
    if (next.done !== true) {
      waiting.push(next.value);
      length += next.value.length;
    }
    if (next.done === true || length > WRITE_CHARACTERS) {
      await handle.appendFile(waiting.join(""), "latin1");
      waiting = [];
      length = 0;
    }
    if (next.done === true) return next.value;
  }
}
