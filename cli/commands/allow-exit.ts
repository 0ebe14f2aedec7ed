import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { toJson } from "../json.ts";
import { keyOptions } from "../live-wallet.ts";
import { namedPayment } from "../payment-id.ts";
import { readOpenOptions, withProgress } from "../wallet-options.ts";

/** `heartwood allow-exit`: lets a payment that is held up ask for an exit in time. */
export const allowExit: Command = {
  name: "allow-exit",
  summary: "let a Lightning payment that a server holds up ask for an exit",
  operands: ["DIR", "ID"],
  options: keyOptions,
  details: `
For a Lightning payment that the server neither ends nor gives back: lets it ask for an exit
(\`exit.required\`) as soon as the expiry of its HTLCs is near, and not only where its VTXOs
would run out. ID is that of the payment, of its movement (\`history\`), or of a VTXO that it
has (its first 8 digits will do). Nothing is exited by this, and the server is asked on (run,
sync); \`give-up\` then has the signed transactions. It cannot be taken back.
Needs no connection.
Exit code 0 if it is allowed, 1 if ID is no Lightning payment that goes out.`,
  async run(given, output) {
    const [, id = ""] = given.operands;
    const options = await readOpenOptions(given, output);
    const { Heartwood } = await import("heartwood");
    await using wallet = await withProgress(options.directory, (onProgress) => Heartwood.open({ ...options, onProgress }));
    const payment = namedPayment(wallet, id);
    const allowed = await payment.allowExit();
    const answer = allowed
      ? `${escapeText(payment.id)} may ask for an exit once the expiry of its HTLCs is near`
      : `nothing to allow: ${escapeText(payment.id)} has ended, or pays nothing out over Lightning`;
    await output.line(given.has("json") ? toJson({ payment: payment.id, allowed }) : answer);
    return allowed ? 0 : 1;
  },
};
