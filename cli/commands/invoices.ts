import type { OpenInvoice } from "heartwood";
import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { formatSats, formatTime } from "../format.ts";
import { toJson } from "../json.ts";
import type { Style } from "../style.ts";
import { withProgress } from "../wallet-options.ts";

/** `heartwood invoices`: what was asked for over Lightning and not paid. */
export const invoices: Command = {
  name: "invoices",
  summary: "list Lightning invoices that wait for their payment",
  operands: ["DIR"],
  options: { json: { describes: "print JSON, one line for each invoice" } },
  details: `
Reads the log in DIR and lists the invoices that wait for their payment, the oldest first.
What is paid of them comes in whenever the wallet is connected (run, sync) and is in the
\`history\`; \`cancel\` gives one up by its payment hash. Needs neither the mnemonic nor a
network. A running wallet is asked for what it has committed.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = ""] = given.operands;
    const { invoices: open } = await withProgress(directory, (onProgress) => Heartwood.read(directory, { onProgress }));
    const lines = given.has("json")
      ? open.map((invoice) => toJson(invoice satisfies OpenInvoice))
      : formatInvoices(open, output.style);
    for (const line of lines) await output.line(line);
    return 0;
  },
};

function formatInvoices(open: readonly OpenInvoice[], style: Style): string[] {
  if (open.length === 0) return ["no invoice waits for its payment"];
  return open.flatMap(({ bolt11, paymentHash, amountSats, feeSats, description, destination, expiresAtMs }) => {
    const expiry = `${expiresAtMs <= Date.now() ? "expired" : "expires"} ${formatTime(expiresAtMs)}`;
    const what = description === null ? "" : `  ${escapeText(description)}`;
    return [
      style.accent(escapeText(bolt11)),
      `  ${style.strong(formatSats(amountSats))}, fee ${formatSats(feeSats)}, ${expiry}${what}`,
      `  payment hash ${paymentHash}`,
      ...(destination === null ? [] : [`  for ${escapeText(destination)}`]),
    ];
  });
}
