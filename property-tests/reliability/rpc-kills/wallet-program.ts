import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { build } from "rolldown";
import { builtProgram } from "../strace.ts";
import type { Said, Told } from "./job.ts";

const ANSWER_MS = 120_000;

const PROGRAM = builtProgram("rpc-kills/wallet-process.js");
const ONE_FILE = builtProgram("rpc-kills/wallet-process.one-file.js");

/** Makes one file of the program and all that it imports: reading hundreds of them is most of what a process costs. */
export async function bundleProgram(): Promise<void> {
  const output = { file: ONE_FILE, format: "es", codeSplitting: false } as const;
  await build({ input: PROGRAM, platform: "node", external: ["level"], output, logLevel: "warn" });
}

/** A process of wallet-process.ts, after {@link bundleProgram}. */
export class WalletProgram {
  readonly #child: ChildProcess;
  readonly #closed: Promise<readonly [number | null, NodeJS.Signals | null]>;
  #output = "";
  #errors = "";
  #onSaid: () => void = () => {};

  constructor() {
    const child = spawn(process.execPath, [ONE_FILE], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    this.#closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    // Who is told something by a dead process hears of its death in another way.
    child.on("error", () => {});
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      if (text.includes("\n")) this.#onSaid();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
  }

  /** Tells it something, and waits for what it says. @throws AssertionError if it ends in another way than by its own kill */
  async ask(told: Told): Promise<Said> {
    this.#child.send(told, () => {});
    const limit = setTimeout(() => this.#child.kill("SIGTERM"), ANSWER_MS);
    try {
      await Promise.race([this.#closed, this.#nextLine()]);
      const said = this.#take();
      if (said === undefined || "diesAt" in said || "failed" in said) await this.#expectDeath(said);
      return said ?? assert.fail("a process ended without a word");
    } finally {
      clearTimeout(limit);
    }
  }

  /** Has it close its wallet and exit. */
  async end(): Promise<void> {
    this.#child.send({ tell: "end" } satisfies Told, () => {});
    const [code] = await this.#closed;
    assert.equal(code, 0, this.#errors);
  }

  /** Ends it, whatever it does. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #nextLine(): Promise<void> {
    while (!this.#output.includes("\n"))
      await new Promise<void>((resolve) => {
        this.#onSaid = resolve;
      });
  }

  #take(): Said | undefined {
    const end = this.#output.indexOf("\n");
    if (end < 0) return undefined;
    const line = this.#output.slice(0, end);
    this.#output = this.#output.slice(end + 1);
    return JSON.parse(line) as Said;
  }

  async #expectDeath(said: Said | undefined): Promise<void> {
    const [code, signal] = await this.#closed;
    const what = `${said === undefined ? "" : JSON.stringify(said)} ${this.#errors}`;
    assert.notEqual(signal, "SIGTERM", `a process did not come to its goal in ${ANSWER_MS} ms: ${what}`);
    assert.equal(signal, "SIGKILL", `the process ended with ${code ?? signal}: ${what}`);
  }
}
