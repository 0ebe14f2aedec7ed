import { once } from "node:events";
import type { Writable } from "node:stream";
import { describeError } from "./errors.ts";
import { escapeText } from "./escape.ts";
import { toJson } from "./json.ts";
import { type Style, styleFor } from "./style.ts";

/** Exit code when nobody reads standard output any more: what a shell reports for SIGPIPE. */
export const EXIT_BROKEN_PIPE = 141;

/** Standard output and standard error of a command. Results go to the first, messages to the second. */
export interface Output {
  /** Colours for results. */
  readonly style: Style;
  /** Width of the terminal that results go to; undefined where there is none. */
  readonly columns: number | undefined;
  /** Writes one line of a result; resolves when there is room for more. */
  line(text: string): Promise<void>;
  /** Writes one line of a message. */
  message(text: string): void;
}

/** The output of this process. A reader that goes away ends the process quietly. */
export function processOutput(): Output {
  endQuietlyOnBrokenPipe(process.stdout);
  endQuietlyOnBrokenPipe(process.stderr);
  return {
    style: styleFor(process.stdout),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    line: (text) => writeLine(process.stdout, text),
    message: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Tells a failure: `heartwood: CODE: message` on standard error, or an object on standard output with `--json`. */
export async function printError(error: unknown, output: Output, json: boolean): Promise<void> {
  const { code, message } = describeError(error);
  if (json) return output.line(toJson({ error: { code, message } }));
  const style = styleFor(process.stderr);
  output.message(`heartwood: ${style.bad(code)}: ${escapeText(message)}`);
  if (error instanceof Error && "hint" in error && typeof error.hint === "string") output.message(style.faint(error.hint));
}

async function writeLine(stream: Writable, text: string): Promise<void> {
  if (!stream.write(`${text}\n`)) await once(stream, "drain");
}

function endQuietlyOnBrokenPipe(stream: Writable): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT_BROKEN_PIPE);
    process.stderr.write(`heartwood: ${error.code ?? "INTERNAL_ERROR"}: ${escapeText(error.message)}\n`);
    process.exit(1);
  });
}
