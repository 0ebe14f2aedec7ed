import type { Wallet } from "heartwood";
import type { Command } from "../command.ts";
import { CliError } from "../errors.ts";
import { EventPrinter } from "../event-printer.ts";
import { formatSats } from "../format.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { toJson } from "../json.ts";
import { parseSeq } from "../log-options.ts";
import type { Output } from "../output.ts";
import { readOpenOptions, walletOptions, withProgress } from "../wallet-options.ts";

/** `heartwood run`: a live wallet. */
export const run: Command = {
  name: "run",
  summary: "receive payments until interrupted",
  operands: ["DIR"],
  options: { ...walletOptions, from: { value: "SEQ", describes: "print the history from this record on first" } },
  details: `
Opens the wallet in DIR and follows its mailbox until it is interrupted; it reconnects by
itself. What happens is printed as it happens, and an address that pays the wallet once
the server has been reached. Server, chain and network are remembered in DIR, the
mnemonic is not. An interrupt (Ctrl-C) closes the wallet; a second one ends at once.`,
  async run(given, output) {
    const from = parseSeq(given.text("from"), "from");
    const options = await readOpenOptions(given, output);
    const signal = abortOnInterrupt(() => output.message("closing (interrupt again to end at once)"));
    const { Heartwood } = await import("heartwood");
    await using wallet = await withProgress(options.directory, (onProgress) =>
      Heartwood.open({ ...options, onProgress, signal }),
    );
    const printer = new EventPrinter(output, given.has("json"));
    const next = wallet.status().records + 1n;
    let isAddressShown = false;
    wallet.start();
    for await (const event of wallet.events({ from: from ?? next, signal })) {
      await printer.print(event);
      if (event.seq < next || event.type !== "connection.changed") continue;
      if (event.state === "Stopped" && event.code !== null)
        throw new CliError("WALLET_STOPPED", `expected a server that this wallet can use, got ${event.code}`);
      if (isAddressShown || event.state !== "Live") continue;
      isAddressShown = true;
      await printAddress(wallet, output, given.has("json"));
    }
    await wallet.stop();
    if (given.has("json")) await output.line(toJson({ type: "wallet.closing", status: wallet.status() }));
    return 0;
  },
};

async function printAddress(wallet: Wallet, output: Output, json: boolean): Promise<void> {
  const [address, balance] = [await wallet.address(), wallet.balance()];
  if (json) return output.line(toJson({ type: "wallet.ready", address, balance }));
  await output.line(`balance ${output.style.strong(formatSats(balance.totalSats))}`);
  await output.line(`address ${output.style.accent(address)}`);
}
