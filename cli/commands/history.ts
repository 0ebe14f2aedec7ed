import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { movementTable } from "../status-view.ts";
import { withProgress } from "../wallet-options.ts";

/** `heartwood history`: what came and went. */
export const history: Command = {
  name: "history",
  summary: "show what came and went, the oldest first",
  operands: ["DIR"],
  options: { json: { describes: "print JSON, one line for each movement" } },
  details: `
Reads the log in DIR and prints its movements; their sum is the wallet's total. Needs
neither the mnemonic nor a network. A running wallet is asked for what it has committed.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = ""] = given.operands;
    const { movements } = await withProgress(directory, (onProgress) => Heartwood.read(directory, { onProgress }));
    const lines = given.has("json")
      ? movements.map((movement) => toJson(movement))
      : movementTable(movements, output.style, { withIds: true });
    for (const line of lines) await output.line(line);
    return 0;
  },
};
