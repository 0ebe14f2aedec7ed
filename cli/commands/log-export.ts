import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { formatCount } from "../format.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";

/** `heartwood log export`: a log as one file. */
export const logExport: Command = {
  name: "log export",
  summary: "write a log to one file",
  operands: ["DIR", "FILE"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Verifies the log in DIR and writes all its records to the new file FILE, which only you
can read (mode 0600). The file is complete: heartwood log import makes a directory of it,
and refuses one that was cut or changed. It holds everything that the wallet received,
but no key. Needs neither the mnemonic nor a network, and changes nothing in DIR. A
running wallet goes on; the file ends with what it had committed at the beginning.`,
  async run(given, output) {
    const { exportLog } = await import("heartwood/store");
    const [directory = "", file = ""] = given.operands;
    const head = await withBar(output, ({ signal, show }) =>
      exportLog(directory, file, { signal, onProgress: ({ step, seq, total }) => show(step, seq, total) }),
    );
    await output.line(
      given.has("json")
        ? toJson({ file, head })
        : `wrote ${formatCount(head.seq)} records of log ${head.logId} to ${escapeText(file)}`,
    );
    return 0;
  },
};
