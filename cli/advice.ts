import { hostname } from "node:os";
import type { LockHolder } from "heartwood/store";
import type { Command } from "./command.ts";
import { describeError, isSalvageable } from "./errors.ts";

/** What can be done about a failure of a command that works on a directory, in a line; undefined where its message says it. */
export function adviceOn(error: unknown, { name, operands, options }: Command): string | undefined {
  if (operands[0] !== "DIR") return undefined;
  if (isSalvageable(error) && name !== "log salvage") {
    return "What is whole of it: heartwood log salvage DIR NEWDIR, which only reads DIR. A good backup is better.";
  }
  if (describeError(error).code !== "STORE_LOCKED" || name === "log unlock") return undefined;
  const pid = writerHere(error);
  if (pid === undefined || options["mnemonic-file"] === undefined) {
    return "Who has it open, and whether that process lives: heartwood log unlock DIR";
  }
  return (
    `One process at a time can use a wallet. End process ${pid} first (Ctrl-C where it runs, or kill ${pid}); ` +
    "a program of yours can do this itself. What only looks, such as status and history, works meanwhile."
  );
}

/** The process of this machine that has a store open to use it. */
function writerHere(error: unknown): number | undefined {
  const { holder } = error as { readonly holder?: Partial<LockHolder> };
  return holder?.host === hostname() && holder.readOnly === false ? holder.pid : undefined;
}
