import type { Quote } from "heartwood";
import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { formatSats } from "../format.ts";
import { toJson } from "../json.ts";
import { liveOptions, withLiveWallet } from "../live-wallet.ts";
import { amountOperand } from "../sats.ts";
import { formatPairs } from "../table.ts";

/** `heartwood quote`: what a Lightning payment would take. */
export const quote: Command = {
  name: "quote",
  summary: "say what paying a Lightning invoice takes",
  operands: ["DIR", "INVOICE", "[SATS]"],
  options: liveOptions,
  details: `
Opens the wallet in DIR, connects it, and says what paying INVOICE (BOLT 11) would take:
the amount, the fee, and the VTXOs that it would spend. Nothing is paid or locked.
INVOICE may be a \`bitcoin:\` URI that has one. SATS is for an invoice that names no amount.`,
  async run(given, output) {
    const [, invoice = "", amount] = given.operands;
    const options = amountOperand(amount);
    return withLiveWallet(given, output, async ({ wallet, signal, progress }) => {
      const quoted = await wallet.quote(invoice, { ...options, signal });
      progress.clear();
      if (given.has("json")) await output.line(toJson({ type: "payment.quoted", ...quoted }));
      else for (const line of formatPairs(pairsOf(quoted), output.style)) await output.line(line);
      return 0;
    });
  },
};

function pairsOf(quoted: Quote): [string, string][] {
  return [
    ["amount", formatSats(quoted.amountSats)],
    ["fee", formatSats(quoted.feeSats)],
    ["total", formatSats(quoted.amountSats + quoted.feeSats)],
    ["for", escapeText(quoted.description ?? "")],
    ["inputs", String(quoted.inputs.length)],
    ["expires", new Date(quoted.expiresAtMs).toISOString()],
    ["locked until", `height ${quoted.lockedUntilHeight} at the worst`],
    ["hash", quoted.paymentHash],
  ];
}
