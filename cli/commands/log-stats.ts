import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";
import { formatStatistics } from "../statistics-view.ts";

/** `heartwood log stats`: how large a log is, and with what. */
export const logStats: Command = {
  name: "log stats",
  summary: "show how large a log is, and what fills it",
  operands: ["DIR"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Verifies the log in DIR and prints its size, its records by machine and event, and how it
grew over time. Needs neither the mnemonic nor a network, and changes nothing. A running
wallet is asked for what it has committed.`,
  async run(given, output) {
    const { measureLog } = await import("heartwood/store");
    const [directory = ""] = given.operands;
    const statistics = await withBar(output, ({ signal, show }) =>
      measureLog(directory, { signal, onProgress: ({ seq, total }) => show("checking frames", seq, total) }),
    );
    if (given.has("json")) await output.line(toJson(statistics));
    else for (const line of formatStatistics(statistics, output.style)) await output.line(line);
    return 0;
  },
};
