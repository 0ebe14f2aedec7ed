import type { StoreLock } from "heartwood/store";
import type { Command } from "../command.ts";
import { escapeText } from "../escape.ts";
import { toJson } from "../json.ts";
import type { Output } from "../output.ts";

/** `heartwood log unlock`: away with the lock of a machine that is no more. */
export const logUnlock: Command = {
  name: "log unlock",
  summary: "remove the lock of a process on another machine",
  operands: ["DIR"],
  options: {
    host: { value: "NAME", describes: "remove the lock, which must be one of this host" },
    json: { describes: "print an object of JSON instead" },
  },
  details: `
Shows which process has the wallet in DIR open. With --host it removes the lock, if the
holder is a process of that other machine: whether it still runs cannot be known from
here, and two writers would destroy each other's work. So make sure first.
A living process of this machine keeps its lock: end it. A lock whose process looks gone
needs no help: the next opening takes it over, unless the process lives in another
container of this machine, which cannot be seen from here.
Exit code 0 if DIR is free now, 1 if it is not.`,
  async run(given, output) {
    const { readLock, unlockStore } = await import("heartwood/store");
    const [directory = ""] = given.operands;
    const host = given.text("host");
    const lock = await readLock(directory);
    if (host !== undefined) await unlockStore(directory, { host });
    const unlocked = host !== undefined && lock?.state === "elsewhere";
    if (given.has("json")) await output.line(toJson({ lock: lock ?? null, unlocked }));
    else await tell(directory, lock, unlocked, output);
    return lock === undefined || lock.state === "gone" || unlocked ? 0 : 1;
  },
};

async function tell(directory: string, lock: StoreLock | undefined, unlocked: boolean, output: Output): Promise<void> {
  if (lock === undefined) return output.line("nobody has it open");
  const { host, pid, since, readOnly } = lock.holder;
  const purpose = readOnly ? "reading" : "writing";
  const name = escapeText(host);
  await output.line(`process ${pid} on ${name} opened it for ${purpose} at ${escapeText(since)}`);
  if (unlocked) return output.line(output.style.good("its lock was removed"));
  if (lock.state === "gone")
    return output.line("it looks gone: the next opening takes the lock over, unless it lives in another container");
  if (lock.state === "here") return output.line(output.style.bad("it lives, and keeps its lock: end it"));
  if (lock.state === "copied")
    return output.line("it has another directory open, of which this one is a copy: it can be looked at as it is");
  output.message(`If no process of ${name} uses it any more: heartwood log unlock ${escapeText(directory)} --host ${name}`);
}
