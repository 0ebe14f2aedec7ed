import type { Command } from "../command.ts";
import { toJson } from "../json.ts";
import { keyOptions } from "../live-wallet.ts";
import { readOpenOptions, withProgress } from "../wallet-options.ts";

/** `heartwood address`: where a wallet gets paid. */
export const address: Command = {
  name: "address",
  summary: "show an address that pays a wallet",
  operands: ["DIR"],
  options: { ...keyOptions, fresh: { describes: "a new one, never given out before" } },
  details: `
Prints the address that was given out last, or a new one with --fresh. Needs no network,
once the wallet has reached its server. All addresses of a wallet stay good.`,
  async run(given, output) {
    const options = await readOpenOptions(given, output);
    const { Heartwood } = await import("heartwood");
    await using wallet = await withProgress(options.directory, (onProgress) => Heartwood.open({ ...options, onProgress }));
    const text = await wallet.address({ fresh: given.has("fresh") });
    await output.line(given.has("json") ? toJson({ address: text }) : text);
    return 0;
  },
};
