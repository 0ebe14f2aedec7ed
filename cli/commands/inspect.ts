import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { untilAborted } from "../interrupt.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";

const HIGHEST_PORT = 65_535;

/** `heartwood inspect`: a log in the state visualizer. */
export const inspect: Command = {
  name: "inspect",
  summary: "look at a log in the state visualizer",
  operands: ["DIR"],
  options: {
    port: { value: "PORT", describes: "serve on this port; a free one unless given" },
    json: { describes: "print an object of JSON instead" },
  },
  details: `
Serves one page on 127.0.0.1 and prints its address: statecharts of all machines, a
timeline over the whole log, every record, the money at any moment. DIR is a wallet's
directory, also while a wallet runs in it, a copy of one, or a file that heartwood log
export wrote. The page needs no internet. It can only be looked at; whoever has the
address with what stands after # can do that, so do not pass it on. Needs neither the
mnemonic nor a network, and changes nothing. An interrupt (Ctrl-C) ends it.`,
  async run(given, output) {
    const { inspectLog } = await import("heartwood/visualizer");
    const [path = ""] = given.operands;
    const port = given.integer("port", HIGHEST_PORT);
    return withBar(output, async ({ signal, show, hide }) => {
      await using inspection = await inspectLog(path, {
        signal,
        onProgress: ({ seq, total }) => show("checking frames", seq, total),
        ...(port === undefined ? {} : { port }),
      });
      hide();
      const { url } = inspection;
      await output.line(given.has("json") ? toJson({ url }) : `${escapeText(path)} at ${output.style.accent(url)}`);
      await untilAborted(signal);
      return 0;
    });
  },
};
