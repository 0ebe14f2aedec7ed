import type { OpenOptions, QuarantinedVtxo } from "heartwood";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { CliError } from "../errors.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { toJson } from "../json.ts";
import type { Output } from "../output.ts";
import { formatQuarantine } from "../quarantine-view.ts";
import { timeoutOption, withTimeout } from "../timeout.ts";
import { readOpenOptions, withProgress } from "../wallet-options.ts";

/** `heartwood quarantine`: what is held because it is no money now. */
export const quarantine: Command = {
  name: "quarantine",
  summary: "list what is held because it is no money now, or look at it again",
  operands: ["DIR"],
  options: {
    retry: { describes: "sync first, which looks at every item again" },
    "mnemonic-file": { value: "FILE", describes: "file with the BIP-39 words; for --retry" },
    ...timeoutOption,
    json: { describes: "print JSON, one item a line" },
  },
  details: `
Lists what arrived and is kept in quarantine in DIR: why it is no money now, how often it was
looked at again, and when it is the next time. What only its bytes decide is kept for good.
Needs neither the mnemonic nor a network. heartwood explain DIR KEY tells how an item came
there. With --retry the wallet is opened and synced first, within --timeout if it is given;
that looks at all of them.`,
  async run(given, output) {
    const forRetry = ["mnemonic-file", "timeout"].find((name) => given.text(name) !== undefined);
    if (given.has("retry")) await lookAgain(given, await readOpenOptions(given, output), output);
    else if (forRetry !== undefined) throw new CliError("USAGE", `expected --retry with --${forRetry}`);
    await print(given, output);
    return 0;
  },
};

async function lookAgain(given: Arguments, options: OpenOptions, output: Output): Promise<void> {
  const signal = withTimeout(
    given,
    abortOnInterrupt(() => output.message("closing (interrupt again to end at once)")),
  );
  const { Heartwood } = await import("heartwood");
  await using wallet = await Heartwood.open({ ...options, signal });
  await wallet.sync({ signal });
}

async function print(given: Arguments, output: Output): Promise<void> {
  const { Heartwood } = await import("heartwood");
  const [directory = ""] = given.operands;
  const { quarantine: items } = await withProgress(directory, (onProgress) => Heartwood.read(directory, { onProgress }));
  if (given.has("json")) for (const item of items) await output.line(toJson(item satisfies QuarantinedVtxo));
  else for (const line of formatQuarantine(items, directory, output.style)) await output.line(line);
}
