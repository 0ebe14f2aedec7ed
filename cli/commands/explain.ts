import type { Command } from "../command.ts";
import { formatExplanation } from "../explain-view.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";

/** `heartwood explain`: how something in a wallet came to be what it is. */
export const explain: Command = {
  name: "explain",
  summary: "tell how a VTXO, movement, message or held item came to be what it is",
  operands: ["DIR", "ID"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
ID is the id of a VTXO or of a movement, a checkpoint, or the key of an item in
quarantine. Of a VTXO and of a key the first 8 digits will do, or the cut form that a
narrow terminal shows. Prints every record that led to its present state, in order:
number, time (UTC), transition, what happened, the code and the rules of the
specification. Needs neither the mnemonic nor a network, and changes nothing. A running
wallet is asked for what it has committed.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [directory = "", id = ""] = given.operands;
    return withBar(output, async ({ signal, show, hide }) => {
      const onProgress = ({ seq, total }: { seq: bigint; total: bigint }) => show("checking frames", seq, total);
      const found = await Heartwood.explain(directory, id, { signal, onProgress });
      hide();
      if (given.has("json")) await output.line(toJson(found));
      else for (const line of formatExplanation(found, output.style)) await output.line(line);
      return 0;
    });
  },
};
