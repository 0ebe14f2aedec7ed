import { CliError } from "./errors.ts";
import { escapeText } from "./escape.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";
import { type BarUnit, formatBar } from "./progress-bar.ts";

/** Tells how far something is: what is being done, and how much of it. */
export type ShowProgress = (doing: string, done: bigint, total: bigint, unit?: BarUnit) => void;

/**
 * Does something long with a log, with a bar on standard error where that is a terminal, until the first interrupt.
 *
 * @throws CliError `INTERRUPTED`, or what the work throws
 */
export async function withBar<T>(
  output: Output,
  work: (tools: { readonly signal: AbortSignal; readonly show: ShowProgress; readonly hide: () => void }) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const signal = abortOnInterrupt(() => output.message("ending (interrupt again to end at once)"), ended.signal);
  const progress = new Progress(process.stderr);
  try {
    return await work({
      signal,
      show(doing, done, total, unit) {
        if (process.stderr.isTTY) progress.update(escapeText(doing), total === 0n ? "" : formatBar(done, total, unit));
      },
      hide: () => progress.clear(),
    });
  } finally {
    progress.clear();
    ended.abort();
  }
}

/** The number of a record that was given to an option. @throws CliError `USAGE` */
export function parseSeq(text: string | undefined, option: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,18}$/.test(text))
    throw new CliError("USAGE", `expected the number of a record for --${option}, got ${JSON.stringify(text.slice(0, 60))}`);
  return BigInt(text);
}
