import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { formatStatus } from "../status-view.ts";
import { withProgress } from "../wallet-options.ts";

/** `heartwood status`: what a wallet directory says. */
export const status: Command = {
  name: "status",
  summary: "show a wallet, recomputed from its log",
  operands: ["DIR"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Reads the log in DIR, checks it and prints balance, checkpoint, VTXOs, movements and
quarantine. Needs neither the mnemonic nor a network, and changes nothing. A running
wallet is asked for what it has committed.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = ""] = given.operands;
    const found = await withProgress(directory, (onProgress) => Heartwood.read(directory, { onProgress }));
    if (given.has("json")) await output.line(toJson(found));
    else for (const line of formatStatus(found, output.style, output.columns)) await output.line(line);
    return 0;
  },
};
