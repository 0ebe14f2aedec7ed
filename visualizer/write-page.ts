import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createGzip } from "node:zlib";
import { Heartwood, HeartwoodError, type History } from "heartwood";
import { HistoryFeed } from "./history-feed.ts";
import { inlineLog } from "./inline-log.ts";
import { DATA_ELEMENT } from "./inlined.ts";
import { type PageFiles, readPageFiles } from "./page-files.ts";

/** Records that are taken unless a range is given. */
const USUAL_RECORDS = 20_000n;
/** More make a file that no browser likes. */
const MOST_RECORDS = 100_000n;
const FILE_MODE = 0o600;
const LOOK_EVERY_MS = 50;
const LINKED_STYLE = '<link rel="stylesheet" href="style.css">';
const LINKED_SCRIPT = '<script type="module" src="main.js"></script>';
const CHARSET = '<meta charset="utf-8">';

/** Options of {@link writePage}. */
export interface WritePageOptions {
  /** First and last record; the last 20,000 unless given, and 100,000 at most. */
  readonly from?: bigint;
  readonly to?: bigint;
  readonly signal?: AbortSignal;
  /** Hears how far it is: the log is read from its first record, then the range is written. */
  readonly onProgress?: (progress: {
    readonly step: "checking" | "reading" | "writing";
    readonly seq: bigint;
    readonly total: bigint;
  }) => void;
}

/**
 * Writes the state visualizer with a range of a log inside to one new file that only its owner can read. The file needs
 * nothing else to be looked at, and no program but a browser. It holds what was received in the range, but no key.
 *
 * @param path as of `inspectLog`
 * @returns the range that was written; its first record is one more than the last for an empty log
 * @throws as `Heartwood.history`; HeartwoodError `BAD_OPTION` for a range that is none or makes too long a page, or a file that is there already or whose
 * folder is not, `LOG_UNREADABLE`; StoreError for damage up to the end of the log; the system's error
 */
export async function writePage(
  path: string,
  file: string,
  options: WritePageOptions = {},
): Promise<{ readonly from: bigint; readonly to: bigint }> {
  const handle = await newFile(file);
  try {
    const { data, range } = await dataOf(path, options);
    await handle.writeFile(onePage(await readPageFiles(), data));
    await handle.close();
    return range;
  } catch (error) {
    await handle.close();
    await rm(file, { force: true });
    throw error;
  }
}

async function newFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, "wx", FILE_MODE);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const got = code === "EEXIST" ? "one that is there already" : code === "ENOENT" ? "one in a folder that is not there" : "";
    if (got === "") throw error;
    throw new HeartwoodError("BAD_OPTION", `expected a file to be made, got ${got}: ${file}`, { cause: error });
  }
}

async function dataOf(path: string, options: WritePageOptions) {
  const { signal, onProgress } = options;
  await using history = await Heartwood.history(path, {
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ seq, total }) => onProgress?.({ step: "checking", seq, total }),
  });
  const end = history.progress.total;
  const range = rangeOf(options, end);
  await readUpTo(history, end, options);
  const pieces = inlineLog(new HistoryFeed(history, basename(resolve(path))), {
    ...range,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ seq, total }) => onProgress?.({ step: "writing", seq, total }),
  });
  const zipped: Buffer[] = [];
  await pipeline(Readable.from(pieces), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) zipped.push(chunk);
  });
  return { range, data: Buffer.concat(zipped).toString("base64") };
}

/** The page with its style, script and data inside, under rules that let nothing else run or load. */
function onePage({ html, script, style }: PageFiles, data: string): string {
  const code = script.replaceAll(/<\/script/gi, "<\\/script").replaceAll("<!--", "<\\!--");
  const policy =
    `default-src 'none'; script-src '${hashOf(code)}'; style-src '${hashOf(style)}'; img-src data:; ` +
    "base-uri 'none'; form-action 'none'";
  return replaceOnce(
    replaceOnce(
      replaceOnce(
        html,
        CHARSET,
        `${CHARSET}\n<meta http-equiv="Content-Security-Policy" content="${policy}">\n<meta name="referrer" content="no-referrer">`,
      ),
      LINKED_STYLE,
      `<style>${style}</style>`,
    ),
    LINKED_SCRIPT,
    `<script type="application/octet-stream" id="${DATA_ELEMENT}">${data}</script>\n<script type="module">${code}</script>`,
  );
}

function replaceOnce(text: string, part: string, by: string): string {
  const [before, after, ...more] = text.split(part);
  if (before === undefined || after === undefined || more.length > 0) throw new Error(`expected ${part} once in the page`);
  return `${before}${by}${after}`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** A log that goes on is taken as it was at the beginning. */
async function readUpTo(history: History, end: bigint, { signal, onProgress }: WritePageOptions): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const { head, failure } = history.progress;
    if (failure !== null) throw failure.error;
    onProgress?.({ step: "reading", seq: head, total: end });
    if (head >= end) return;
    await delay(LOOK_EVERY_MS);
  }
}

/**
 * The records that a page has of a log with so many: what is asked for, or the last ones.
 *
 * @throws HeartwoodError `BAD_OPTION` for a range that is none, or of too many
 */
export function rangeOf({ from, to }: WritePageOptions, end: bigint): { readonly from: bigint; readonly to: bigint } {
  const last = to ?? end;
  const usual = last > USUAL_RECORDS ? last - USUAL_RECORDS + 1n : 1n;
  const first = from ?? usual;
  if (first < 1n) throw bad("a first record from 1 on", `${first}`);
  if (last > end) throw bad(`a last record up to ${end}, the end of the log`, `${last}`);
  if (first > end && end > 0n) throw bad(`a first record up to ${end}, the end of the log`, `${first}`);
  if (first > last + 1n || (first > last && end > 0n))
    throw bad("a first record that is not behind the last", `${first} to ${last}`);
  if (last - first >= MOST_RECORDS) throw bad(`at most ${MOST_RECORDS} records`, `${last - first + 1n}: ${first} to ${last}`);
  return { from: first, to: last };
}

function bad(expected: string, got: string): HeartwoodError {
  return new HeartwoodError("BAD_OPTION", `expected ${expected}, got ${got}`);
}
