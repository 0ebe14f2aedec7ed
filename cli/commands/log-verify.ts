import type { Command } from "../command.ts";
import { formatCount } from "../format.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";
import { formatPairs } from "../table.ts";

const DOING = { frames: "checking frames", steps: "replaying" } as const;

/** `heartwood log verify`: is everything in a directory as it was written? */
export const logVerify: Command = {
  name: "log verify",
  summary: "check every byte of a log, and replay it",
  operands: ["DIR"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Checks each frame, the hash chain and HEAD, then takes every recorded step again and
compares it with the record. Needs neither the mnemonic nor a network, and changes
nothing. A running wallet is asked for what it has committed, and goes on.
Exit code 0 if all is as it was written; damage that opening bears, such as an unusable
snapshot, is named then. Else 1, with the code and the place of the damage.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = ""] = given.operands;
    const { head, borne } = await withBar(output, ({ signal, show }) =>
      Heartwood.verify(directory, { signal, onProgress: ({ step, seq, total }) => show(DOING[step], seq, total) }),
    );
    const { style } = output;
    if (given.has("json")) {
      await output.line(toJson({ ok: true, head, borne }));
      return 0;
    }
    const end = `record ${formatCount(head.seq)}, commit ${formatCount(head.commit)}, epoch ${formatCount(head.epoch)}`;
    const pairs = [
      ["log", head.logId],
      ["end", end],
      ["chain", head.chain],
      ["frames", style.good("as they were written")],
      ["steps", style.good("come out as recorded")],
    ] as const;
    for (const line of formatPairs(pairs, style)) await output.line(line);
    for (const { code, message } of borne) await output.line(`${style.notice(code)}: ${message}`);
    return 0;
  },
};
