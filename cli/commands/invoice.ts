import type { Command } from "../command.ts";
import { formatChange, formatSats, formatTime } from "../format.ts";
import { toJson } from "../json.ts";
import { liveOptions, withLiveWallet } from "../live-wallet.ts";
import { waitForPayment } from "../payment-wait.ts";
import { parseSats } from "../sats.ts";

/** `heartwood invoice`: asks for a Lightning payment, and waits for it. */
export const invoice: Command = {
  name: "invoice",
  summary: "make a Lightning invoice and wait until it is paid",
  operands: ["DIR", "SATS"],
  options: {
    ...liveOptions,
    description: { value: "TEXT", describes: "what the payer sees" },
    destination: { value: "ADDRESS", describes: "an Ark address that gets the money instead" },
    json: { describes: "print JSON, one line each" },
  },
  details: `
Opens the wallet in DIR, connects it, prints an invoice (BOLT 11) over SATS, and waits for
the money. An interrupt only ends the waiting: the invoice stays open, and what is paid
comes in whenever the wallet is connected (run, sync). \`cancel\` gives it up.
The server takes its fee out of SATS. It holds a payment for three minutes for a wallet
that is away, then the payer gets the money back.
Exit code 0 if the money is here, 1 if it did not come.`,
  async run(given, output) {
    const [, amount = ""] = given.operands;
    const [description, destination] = [given.text("description"), given.text("destination")];
    const what = { ...(description === undefined ? {} : { description }), ...(destination === undefined ? {} : { destination }) };
    const amountSats = parseSats(amount);
    return withLiveWallet(given, output, async (live) => {
      const { wallet, signal, progress } = live;
      progress.update("asking for an invoice");
      const { payment, ...made } = await wallet.invoice({ amountSats, ...what, signal });
      progress.clear();
      if (given.has("json")) await output.line(toJson({ type: "invoice.issued", payment: payment.id, ...made }));
      else {
        await output.line(output.style.accent(made.bolt11));
        await output.line(`payment hash ${made.paymentHash}`);
        await output.line(`fee ${formatSats(made.feeSats)}, expires ${formatTime(made.expiresAtMs)}`);
      }
      const { movement } = await waitForPayment(payment, live, "waiting");
      const balance = wallet.balance();
      if (given.has("json")) await output.line(toJson({ type: "payment.settled", payment: payment.id, movement, balance }));
      else {
        await output.line(`received ${output.style.good(formatChange(movement.effectiveBalanceSats))}  ${movement.id}`);
        await output.line(`balance ${output.style.strong(formatSats(balance.totalSats))}`);
      }
      return 0;
    });
  },
};
