import type { RestoreProgress } from "heartwood";
import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { type ShowProgress, withBar } from "../log-options.ts";
import { formatRestore } from "../restore-view.ts";
import { timeoutOption, withTimeout } from "../timeout.ts";
import { readOpenOptions, walletOptions } from "../wallet-options.ts";

const { create: _create, ...restoreOptions } = walletOptions;
const STEPS = { reading: "reading the backup", fetching: "fetching", checking: "checking" } as const;

/** `heartwood restore`: a wallet made of its seed alone. */
export const restore: Command = {
  name: "restore",
  summary: "make a wallet of a seed alone, with what it had before",
  operands: ["DIR"],
  options: {
    ...restoreOptions,
    "as-is": { describes: "end a restore that gets no answer about some VTXOs, without them" },
    ...timeoutOption,
  },
  details: `
Makes the directory DIR, which must be absent or empty, of a mnemonic: reads the list of VTXOs
that the wallet backed up at its server, fetches and checks each of them, then reads the
mailbox from its beginning. What is the wallet's and unspent is money again; expired VTXOs
and others that are no money are kept in quarantine. Lightning payments that were open are
asked back, unless the server shows that they were paid.
A restore that was interrupted or timed out, or that got no answer about some VTXOs, goes on
when the command is run again; --as-is ends it without them, so that the wallet pays again.
Not restored are the history as it was, and addresses given out.
Exit code 0 if it is complete, 1 if something could not be restored; the last lines say what.`,
  async run(given, output) {
    const options = await readOpenOptions(given, output);
    const { Heartwood } = await import("heartwood");
    const status = await withBar(output, async ({ signal: interrupted, show }) => {
      const signal = withTimeout(given, interrupted);
      if (given.has("as-is")) {
        // Of a wallet that began with nothing there is no restore to be ended: it is refused.
        await using wallet = await Heartwood.open({ ...options, restore: true, signal });
        await wallet.endRestore();
        return wallet.status();
      }
      await using wallet = await Heartwood.restore({ ...options, signal, onRestore: (progress) => tell(progress, show) });
      return wallet.status();
    });
    const { restore, balance, quarantine } = status;
    if (given.has("json")) await output.line(toJson({ directory: options.directory, ...restore, balance, quarantine }));
    else for (const line of formatRestore(status, options.directory, output.style)) await output.line(line);
    return restore?.isComplete === true ? 0 : 1;
  },
};

function tell({ step, done, total }: RestoreProgress, show: ShowProgress): void {
  show(STEPS[step], BigInt(done), BigInt(total), "VTXOs");
}
