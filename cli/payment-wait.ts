import type { Payment, SettledPayment } from "heartwood";
import { CliError } from "./errors.ts";
import { escapeText } from "./escape.ts";
import { formatDuration } from "./format.ts";
import type { LiveWallet } from "./live-wallet.ts";

/**
 * Waits for a payment to end, and shows how it goes on. An interrupt, or the end of the time, ends the waiting, not the
 * payment.
 *
 * @param doing what it is, in a word
 * @throws CliError `INTERRUPTED`, `TIMED_OUT`; HeartwoodError `PAYMENT_FAILED`, `WALLET_FAILED`
 */
export async function waitForPayment(
  payment: Payment,
  { signal, progress }: LiveWallet,
  doing = "paying",
): Promise<SettledPayment> {
  const sinceMs = performance.now();
  const passed = (): string => formatDuration(performance.now() - sinceMs);
  const watching = payment.events$.subscribe({
    next: ({ state, code }) =>
      progress.update(`${doing}: ${escapeText(state)}${code === null ? "" : ` (${escapeText(code)})`}`, passed),
    error: () => {},
  });
  try {
    return await payment.settled({ signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    const code = signal.reason instanceof CliError ? signal.reason.code : "INTERRUPTED";
    throw new CliError(code, `the payment ${payment.id} is recorded and goes on when the wallet is connected`);
  } finally {
    watching.unsubscribe();
    progress.clear();
  }
}
