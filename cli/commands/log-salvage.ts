import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { withBar } from "../log-options.ts";
import { formatSalvage } from "../salvage-view.ts";

/** `heartwood log salvage`: a wallet made of what is left of a damaged one. */
export const logSalvage: Command = {
  name: "log salvage",
  summary: "make a wallet of what is left of a damaged one",
  operands: ["DIR", "NEWDIR"],
  options: { json: { describes: "print an object of JSON instead" } },
  details: `
Makes the directory NEWDIR, which must be absent or empty, of the longest run of whole
commits that the damaged log in DIR still holds from its beginning. DIR is only read, and
stays as it is: keep it. There must be room for three times its size beside NEWDIR. Needs
neither the mnemonic nor a network. The wallet must not be open elsewhere.
The new wallet is reconciling: when it connects for the first time it asks the server about
every VTXO, and gets again what the mailbox delivered after the last record that was kept.
Use it instead of the one in DIR, never both.
A log without damage is refused: STORE_UNDAMAGED.`,
  async run(given, output) {
    const { Heartwood } = await import("heartwood");
    const [from = "", to = ""] = given.operands;
    const salvage = await withBar(output, ({ signal, show }) =>
      Heartwood.salvage(from, to, {
        signal,
        onProgress: ({ step, done, total }) => show(step, done, total, step === "copying" ? "bytes" : "records"),
      }),
    );
    if (given.has("json")) await output.line(toJson({ directory: to, ...salvage }));
    else for (const line of formatSalvage(salvage, to, output.style)) await output.line(line);
    return 0;
  },
};
