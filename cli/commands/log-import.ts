import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { formatCount } from "../format.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";

/** `heartwood log import`: a directory made of an export file. */
export const logImport: Command = {
  name: "log import",
  summary: "make a wallet directory of an exported log",
  operands: ["FILE", "DIR"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Verifies FILE, which heartwood log export wrote, and makes the directory DIR of it, which
must be absent or empty. A file that is not whole is refused, and then nothing is made.
The copy is the same wallet, and the server knows only one: once the copy or its original
has gone on, do not use the other any more.`,
  async run(given, output) {
    const { importLog } = await import("heartwood/store");
    const [file = "", directory = ""] = given.operands;
    const head = await withBar(output, ({ signal, show }) =>
      importLog(file, directory, {
        signal,
        onProgress: ({ bytes, totalBytes }) => show("importing", BigInt(bytes), BigInt(totalBytes), "bytes"),
      }),
    );
    await output.line(
      given.has("json")
        ? toJson({ directory, head })
        : `made ${escapeText(directory)} of ${formatCount(head.seq)} records of log ${head.logId}`,
    );
    return 0;
  },
};
