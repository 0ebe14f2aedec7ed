import type { Command } from "../command.ts";
import { CliError } from "../errors.ts";
import { toJson } from "../json.ts";
import { liveOptions, withLiveWallet } from "../live-wallet.ts";

/** `heartwood cancel`: gives an invoice up. */
export const cancel: Command = {
  name: "cancel",
  summary: "give up a Lightning invoice that was not paid",
  operands: ["DIR", "HASH"],
  options: liveOptions,
  details: `
Opens the wallet in DIR, connects it, and gives up the invoice with the payment hash HASH;
a payer that has paid it gets the money back. A payment that is on its way in cannot be
stopped any more (NOT_CANCELLABLE).`,
  async run(given, output) {
    const [, hash = ""] = given.operands;
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new CliError("USAGE", "expected HASH as 64 hex digits, got another text");
    return withLiveWallet(given, output, async ({ wallet, progress }) => {
      progress.update("cancelling");
      await wallet.cancelInvoice(hash);
      progress.clear();
      await output.line(given.has("json") ? toJson({ type: "invoice.cancelled", paymentHash: hash }) : "the invoice is given up");
      return 0;
    });
  },
};
