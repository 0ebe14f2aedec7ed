import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { formatBalancePairs } from "../status-view.ts";
import { withProgress } from "../wallet-options.ts";

/** `heartwood balance`: the money of a wallet directory. */
export const balance: Command = {
  name: "balance",
  summary: "show a wallet's money, each part apart",
  operands: ["DIR"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Reads the log in DIR and prints the total and its parts: what can be spent, what is locked
in payments, what comes in. Beside the total stand what is on its way out over Lightning
and what is not confirmed. Needs neither the mnemonic nor a network. A running wallet is
asked for what it has committed.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = ""] = given.operands;
    const status = await withProgress(directory, (onProgress) => Heartwood.read(directory, { onProgress }));
    if (given.has("json")) await output.line(toJson(status.balance));
    else for (const line of formatBalancePairs(status.balance, output.style)) await output.line(line);
    return 0;
  },
};
