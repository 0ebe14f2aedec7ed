import { constants } from "node:os";
import { CliError } from "./errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * A signal that aborts on the first SIGINT or SIGTERM, with a CliError `INTERRUPTED`, so that the
 * command can close what it opened. The next one ends the process at once, with the exit code a shell expects (130 for SIGINT).
 *
 * @param tell called on the first, to say that closing has begun
 * @param ended aborted when there is nothing to interrupt any more; never by default
 */
export function abortOnInterrupt(tell: () => void, ended?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    const interrupt = (): void => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      tell();
      controller.abort(new CliError("INTERRUPTED", `ended by ${name}`));
    };
    process.on(name, interrupt);
    ended?.addEventListener("abort", () => void process.off(name, interrupt), { once: true });
  }
  return controller.signal;
}

/** Resolves once the signal is aborted. Keeps the process alive until then. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const keepAlive = setInterval(() => {}, 60_000);
    signal.addEventListener(
      "abort",
      () => {
        clearInterval(keepAlive);
        resolve();
      },
      { once: true },
    );
  });
}
