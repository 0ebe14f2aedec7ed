import type { Command } from "../command.ts";
import { formatChange, formatSats } from "../format.ts";
import { toJson } from "../json.ts";
import { liveOptions, withLiveWallet } from "../live-wallet.ts";
import { waitForPayment } from "../payment-wait.ts";
import { parseSats } from "../sats.ts";

/** `heartwood send`: pays to an Ark address. */
export const send: Command = {
  name: "send",
  summary: "pay to an Ark address",
  operands: ["DIR", "ADDRESS", "SATS"],
  options: liveOptions,
  details: `
Opens the wallet in DIR, connects it, and pays SATS to ADDRESS. Ends when the recipient's
mailbox has the payment. Once the payment is recorded an interrupt only ends the waiting:
it goes on whenever the wallet is connected (run, sync), and \`history\` shows it.
Exit code 0 if it was delivered, 1 if nothing was paid or the waiting was ended.`,
  async run(given, output) {
    const [, address = "", amount = ""] = given.operands;
    const amountSats = parseSats(amount);
    return withLiveWallet(given, output, async (live) => {
      const { wallet, signal, progress } = live;
      progress.update("paying");
      const payment = await wallet.send(address, amountSats, { signal });
      const { movement } = await waitForPayment(payment, live);
      const balance = wallet.balance();
      if (given.has("json")) await output.line(toJson({ type: "payment.settled", payment: payment.id, movement, balance }));
      else {
        await output.line(`paid ${output.style.strong(formatChange(movement.effectiveBalanceSats))}  ${movement.id}`);
        await output.line(`balance ${output.style.strong(formatSats(balance.totalSats))}`);
      }
      return 0;
    });
  },
};
