import type { OpenOptions, ReplayProgress } from "heartwood";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { CliError } from "./errors.ts";
import { escapeText } from "./escape.ts";
import { formatCount } from "./format.ts";
import { readMnemonicFile } from "./mnemonic-file.ts";
import { NETWORKS } from "./networks.ts";
import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";

/** Options of the commands that open a wallet with its keys. */
export const walletOptions: Readonly<Record<string, OptionSpec>> = {
  "mnemonic-file": { value: "FILE", describes: "file with the BIP-39 words; needed every time" },
  create: { describes: "make the wallet if there is none in DIR" },
  server: { value: "URL", describes: "the Ark server; remembered" },
  chain: { value: "URL", describes: "the Esplora server; remembered" },
  network: { value: "NAME", describes: `one of ${NETWORKS.join(", ")}; remembered` },
  json: { describes: "print JSON, one line each" },
};

/**
 * How to open the wallet that a command line names.
 *
 * @throws CliError `USAGE`, `MNEMONIC_FILE_UNREADABLE`, `MNEMONIC_FILE_EMPTY`, `BAD_MNEMONIC`
 */
export async function readOpenOptions(given: Arguments, output: Output): Promise<OpenOptions> {
  const [directory = ""] = given.operands;
  const [server, chain, network] = [given.text("server"), given.text("chain"), given.choice("network", NETWORKS)];
  const path = given.text("mnemonic-file");
  if (path === undefined) throw new CliError("USAGE", "expected --mnemonic-file FILE, got none; the words are never kept in DIR");
  const { mnemonic, isExposed } = await readMnemonicFile(path);
  if (isExposed) output.message(`warning: others can read ${escapeText(path)}; chmod 600 keeps it to you`);
  return {
    directory,
    mnemonic: () => mnemonic,
    create: given.has("create"),
    ...(server === undefined ? {} : { server }),
    ...(chain === undefined ? {} : { chain }),
    ...(network === undefined ? {} : { network }),
  };
}

/** Does something with a wallet directory while its replay is shown on standard error. */
export async function withProgress<T>(
  directory: string,
  work: (onProgress: (progress: ReplayProgress) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(process.stderr);
  const text = `reading ${escapeText(directory)}`;
  try {
    return await work(({ seq, total }) => {
      if (process.stderr.isTTY) progress.update(text, `${formatCount(seq)} of ${formatCount(total)} records`);
    });
  } finally {
    progress.clear();
  }
}
