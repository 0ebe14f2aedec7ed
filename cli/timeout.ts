import type { Arguments, OptionSpec } from "./arguments.ts";
import { CliError } from "./errors.ts";
import { plural } from "./format.ts";

/** The longest that a timer of the system waits, in seconds. */
const MOST_SECONDS = 2_147_483;

/** The option of commands that wait for a server. */
export const timeoutOption: Readonly<Record<string, OptionSpec>> = {
  timeout: { value: "SECONDS", describes: "end after so long; what is recorded goes on later" },
};

/**
 * A signal that aborts with the given one, or when the time of a command line is over, with a CliError `TIMED_OUT`.
 *
 * @throws CliError `USAGE`
 */
export function withTimeout(given: Arguments, signal: AbortSignal): AbortSignal {
  const seconds = given.integer("timeout", MOST_SECONDS);
  if (seconds === undefined) return signal;
  const controller = new AbortController();
  const end = (): void => controller.abort(new CliError("TIMED_OUT", `ended after ${plural(seconds, "second")} (--timeout)`));
  setTimeout(end, seconds * 1_000).unref();
  signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
