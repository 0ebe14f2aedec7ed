import { once } from "node:events";
import type { Writable } from "node:stream";
import { CliError, describeError, type ErrorDescription } from "./errors.ts";
import { escapeText } from "./escape.ts";
import { toJson } from "./json.ts";
import { type Style, styleFor } from "./style.ts";

/** Standard output and standard error of a command. Results go to the first, messages to the second. */
export interface Output {
  /** Colours for results. */
  readonly style: Style;
  /** Width of the terminal that results go to; undefined where there is none. */
  readonly columns: number | undefined;
  /** Why results can no longer be written, if so: with `BROKEN_PIPE` nobody reads them any more. */
  readonly failure: unknown;
  /**
   * Writes one line of a result; resolves when there is room for more.
   *
   * @throws CliError `BROKEN_PIPE`, or the system's error
   */
  line(text: string): Promise<void>;
  /** Writes one line of a message. */
  message(text: string): void;
}

/** The output of this process. */
export function processOutput(): Output {
  // Where messages cannot be written, nothing can be said about it.
  process.stderr.on("error", () => {});
  return new StreamOutput(process.stdout);
}

class StreamOutput implements Output {
  readonly style = styleFor(process.stdout);
  failure: unknown;
  readonly #stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };

  constructor(stream: Writable & { readonly isTTY?: boolean; readonly columns?: number }) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.failure ??=
        error.code === "EPIPE" ? new CliError("BROKEN_PIPE", "expected a reader of standard output, got none") : error;
    });
  }

  get columns(): number | undefined {
    return this.#stream.isTTY ? this.#stream.columns : undefined;
  }

  async line(text: string): Promise<void> {
    if (this.failure === undefined && !this.#stream.write(`${text}\n`)) await once(this.#stream, "drain").catch(() => {});
    if (this.failure !== undefined) throw this.failure;
  }

  message(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}

/** Tells a failure: `heartwood: CODE: message` on standard error, or an object on standard output with `--json`. */
export async function printError(error: unknown, output: Output, json: boolean): Promise<void> {
  const { code, message, place } = describeError(error);
  if (json && output.failure === undefined) return output.line(toJson({ error: { code, message, place } }));
  const style = styleFor(process.stderr);
  output.message(`heartwood: ${style.bad(code)}: ${escapeText(message)}${place === undefined ? "" : ` (${formatPlace(place)})`}`);
}

function formatPlace({ file, seq, commit }: NonNullable<ErrorDescription["place"]>): string {
  return [file, seq === undefined ? undefined : `record ${seq}`, commit === undefined ? undefined : `commit ${commit}`]
    .filter((part) => part !== undefined)
    .map((part) => escapeText(part))
    .join(", ");
}
