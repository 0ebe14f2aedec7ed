import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { parseSeq, withBar } from "../log-options.ts";
import { formatRecord } from "../record-view.ts";

/** `heartwood log show`: the records of a log. */
export const logShow: Command = {
  name: "log show",
  summary: "show the records of a log",
  operands: ["DIR"],
  options: {
    from: { value: "SEQ", describes: "begin with this record" },
    instance: { value: "NAME", describes: "only this instance, such as mailbox/main, or all of a kind: message" },
    json: { describes: "print everything, one JSON object a line" },
  },
  details: `
Prints a line for each record: number, time (UTC), instance, event, the state that it led
to and the effects that were asked for. With --json everything is there: events and
changes whole, bytes as hex, 64-bit numbers as decimal texts. Every record is verified.
Needs neither the mnemonic nor a network, and changes nothing. A running wallet is asked
for what it has committed.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = ""] = given.operands;
    const from = parseSeq(given.text("from"), "from");
    const instance = given.text("instance");
    return withBar(output, async ({ signal, show, hide }) => {
      const records = Heartwood.records(directory, {
        signal,
        onProgress: ({ seq, total }) => show("checking frames", seq, total),
        ...(from === undefined ? {} : { from }),
        ...(instance === undefined ? {} : { instance }),
      });
      for await (const record of records) {
        hide();
        await output.line(given.has("json") ? toJson(record) : formatRecord(record, output.style, output.columns));
      }
      return 0;
    });
  },
};
