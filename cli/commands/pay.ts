import type { Command } from "../command.ts";
import { formatChange, formatSats } from "../format.ts";
import { toJson } from "../json.ts";
import { liveOptions, withLiveWallet } from "../live-wallet.ts";
import { waitForPayment } from "../payment-wait.ts";
import { amountOperand, parseSats } from "../sats.ts";

/** `heartwood pay`: pays a Lightning invoice. */
export const pay: Command = {
  name: "pay",
  summary: "pay a Lightning invoice",
  operands: ["DIR", "INVOICE", "[SATS]"],
  options: { ...liveOptions, "max-fee": { value: "SATS", describes: "refuse to pay a higher fee" } },
  details: `
Opens the wallet in DIR, connects it, and pays INVOICE (BOLT 11). Ends when the payee's
preimage is here, which proves the payment, or everything came back. Once the payment is
recorded an interrupt only ends the waiting: it goes on whenever the wallet is connected
(run, sync), and \`history\` shows it. An invoice that is being paid is waited for; one that
was paid is never paid again. INVOICE may be a \`bitcoin:\` URI that has one. SATS is for an
invoice that names no amount. Without --max-fee the fee may be 100 sat and 1 % of the amount.
Exit code 0 if it was paid, 1 if nothing was paid or the waiting was ended.`,
  async run(given, output) {
    const [, invoice = "", amount] = given.operands;
    const options = amountOperand(amount);
    const most = given.text("max-fee");
    const maxFee = most === undefined ? {} : { maxFeeSats: parseSats(most) };
    return withLiveWallet(given, output, async (live) => {
      const { wallet, signal, progress } = live;
      progress.update("paying");
      const payment = await wallet.pay(invoice, { ...options, ...maxFee, signal });
      const { movement } = await waitForPayment(payment, live);
      const balance = wallet.balance();
      const { payment_preimage: preimage } = movement.metadata;
      if (given.has("json")) {
        await output.line(toJson({ type: "payment.settled", payment: payment.id, preimage, movement, balance }));
      } else {
        const fee = `of which ${formatSats(movement.feeSats)} are the fee`;
        await output.line(`paid ${output.style.strong(formatChange(movement.effectiveBalanceSats))}, ${fee}`);
        await output.line(`proof ${String(preimage)}`);
        await output.line(`balance ${output.style.strong(formatSats(balance.totalSats))}`);
      }
      return 0;
    });
  },
};
