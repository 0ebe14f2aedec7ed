import type { ArgumentSpec, Arguments } from "./arguments.ts";
import type { Output } from "./output.ts";

/** One subcommand of `heartwood`. */
export interface Command extends ArgumentSpec {
  /** The words that call it, such as `vtxo check`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The rest of its help: lines of at most 80 columns. */
  readonly details: string;
  /** Does the work; resolves to the exit code. */
  run(given: Arguments, output: Output): Promise<number>;
}
