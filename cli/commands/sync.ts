import type { SyncResult, Wallet } from "heartwood";
import type { Command } from "../command.ts";
import { EventPrinter } from "../event-printer.ts";
import { formatCount, formatSats, plural } from "../format.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { toJson } from "../json.ts";
import type { Output } from "../output.ts";
import { timeoutOption, withTimeout } from "../timeout.ts";
import { readOpenOptions, walletOptions, withProgress } from "../wallet-options.ts";

/** `heartwood sync`: reads the mailbox to its end, once. */
export const sync: Command = {
  name: "sync",
  summary: "receive what is in the mailbox, then end",
  operands: ["DIR"],
  options: { ...walletOptions, ...timeoutOption },
  details: `
Opens the wallet in DIR, reads its mailbox until nothing is left and ends. What happens
is printed as it happens; the last line is the result, with an address that pays the
wallet. Server, chain and network are remembered in DIR, the mnemonic is not.
Exit code 0 if the mailbox was read to its end, 1 if not: because a package could not be
decided yet, or because nothing tells whether more follows. The next sync reads on.`,
  async run(given, output) {
    const options = await readOpenOptions(given, output);
    const signal = withTimeout(
      given,
      abortOnInterrupt(() => output.message("closing (interrupt again to end at once)")),
    );
    const { Heartwood } = await import("heartwood");
    await using wallet = await withProgress(options.directory, (onProgress) =>
      Heartwood.open({ ...options, onProgress, signal }),
    );
    const printer = new EventPrinter(output, given.has("json"));
    const printing = wallet.events$.subscribe({ next: (event) => printer.print(event), error: () => {} });
    try {
      const result = await wallet.sync({ signal });
      const address = await wallet.address();
      await printer.finish();
      await printResult(result, address, wallet, output, given.has("json"));
      return result.caughtUp ? 0 : 1;
    } finally {
      printing.unsubscribe();
    }
  },
};

async function printResult(result: SyncResult, address: string, wallet: Wallet, output: Output, json: boolean): Promise<void> {
  const { style } = output;
  const balance = wallet.balance();
  if (json) return output.line(toJson({ type: "sync.finished", ...result, balance, address }));
  const end = result.caughtUp ? style.good("read to its end") : style.notice("read in part, the next sync reads on");
  const outcome = result.halted === null ? end : style.bad(`stopped at a package: ${result.halted.code}`);
  await output.line(
    `mailbox ${outcome}: ${plural(result.messages, "message")}, ${plural(result.applied, "package")}, ${formatCount(result.ignored)} ignored`,
  );
  await output.line(`balance ${style.strong(formatSats(balance.totalSats))}`);
  await output.line(`address ${address}`);
}
