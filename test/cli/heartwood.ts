import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** How a finished `heartwood` ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command as a process of its own, its streams being pipes. */
export function start(...words: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...words], { env: { ...process.env, NO_COLOR: "1" } });
}

/** Runs the built command to its end with `input` on its standard input. */
export async function run(words: string[], input: string | Uint8Array = ""): Promise<Ended> {
  const child = start(...words);
  child.stdin.on("error", () => {}); // The command may end before it has read everything.
  child.stdin.end(input);
  return ended(child);
}

/** Collects what a started command writes until it ends. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const out = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (out.stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...out };
}
