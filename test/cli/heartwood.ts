import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "../../cli/command-line.ts";
import { commands } from "../../cli/commands.ts";
import { styleFor } from "../../cli/style.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** How a finished `heartwood` ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command as a process of its own; its streams are pipes that nobody reads yet. */
export function start(...words: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...words], { env: { ...process.env, NO_COLOR: "1" } });
}

/** A started command whose output is collected. */
export class Running {
  readonly ended: Promise<Ended>;
  readonly child: ChildProcessWithoutNullStreams;
  stdout = "";
  stderr = "";

  constructor(...words: string[]) {
    this.child = start(...words);
    this.child.stdin.on("error", () => {}); // It may end before it has read everything.
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** The first line on standard output, from the first or from the `skip`th on, that has `part` in it. */
  async line(part = "", skip = 0): Promise<string> {
    for (;;) {
      const lines = this.stdout.split("\n").slice(0, -1).slice(skip);
      const found = lines.find((line) => line.includes(part));
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        const refuse = () => reject(new Error(`expected a line with ${part}, got the end: ${this.stdout}${this.stderr}`));
        this.child.stdout.once("data", () => {
          this.child.off("close", refuse);
          resolve();
        });
        this.child.once("close", refuse);
      });
    }
  }
}

/** Runs the built command to its end with `input` on its standard input. */
export async function run(words: readonly string[], input: string | Uint8Array = ""): Promise<Ended> {
  const running = new Running(...words);
  running.child.stdin.end(input);
  return running.ended;
}

/** Runs a command line in this process: what needs neither standard input nor signals is tested faster so. */
export async function runHere(words: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const messages: string[] = [];
  const code = await runCommandLine(words, commands, {
    style: styleFor({}),
    columns: undefined,
    failure: undefined,
    line: async (text) => void out.push(`${text}\n`),
    message: (text) => void messages.push(`${text}\n`),
  });
  return { code, stdout: out.join(""), stderr: messages.join("") };
}
