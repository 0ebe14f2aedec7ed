import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { CliError } from "../errors.ts";

/** A line of `heartwood run --json`: an event, or one of the command's own notices. */
export interface WalletLine {
  readonly type: string;
  readonly [member: string]: unknown;
}

const PATIENCE_MS = 45_000;

/** A wallet in a process of its own, started with the `heartwood` command as anybody would. */
export class WalletProcess {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #lines: WalletLine[] = [];
  readonly #listeners = new Set<(line: WalletLine) => void>();
  readonly #mourners = new Set<(code: number | null) => void>();
  #child: ChildProcess | undefined;
  #lastSeq = 0n;
  #complaint = "";

  /**
   * @param command path of the command's own program
   * @param args what comes behind `heartwood run`
   */
  constructor(command: string, args: readonly string[]) {
    this.#command = command;
    this.#args = args;
  }

  /** Everything it said so far, over all of its lives. */
  get lines(): readonly WalletLine[] {
    return this.#lines;
  }

  /** Starts it; its history goes on behind the last record that it told of, so that nothing is told twice or never. */
  start(): void {
    const from = ["--from", String(this.#lastSeq + 1n)];
    const child = spawn(process.execPath, [this.#command, "run", ...this.#args, ...from, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // an interrupt of the terminal is the demo's to pass on
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (text) => this.#take(text));
    child.stderr.on("data", (text: Buffer) => {
      this.#complaint = text.toString().trim();
    });
    child.on("close", (code, signal) => {
      if (signal === null) for (const mourn of [...this.#mourners]) mourn(code);
    });
  }

  /**
   * The first line, from now on or since a place in {@link lines}, that is wanted.
   *
   * @throws CliError `DEMO_STUCK` if it does not come, or the process ended by itself
   */
  async until(what: string, isWanted: (line: WalletLine) => boolean, since = this.#lines.length): Promise<WalletLine> {
    const said = this.#lines.slice(since).find(isWanted);
    if (said !== undefined) return said;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listen);
        this.#mourners.delete(mourn);
      };
      const fail = (got: string): void => {
        stop();
        reject(new CliError("DEMO_STUCK", `expected ${what}, got ${got}. ${this.#complaint}`));
      };
      const listen = (line: WalletLine): void => {
        if (!isWanted(line)) return;
        stop();
        resolve(line);
      };
      const mourn = (code: number | null): void => fail(`the end of the wallet's process with exit code ${code}`);
      const timer = setTimeout(() => fail(`nothing for ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
      this.#listeners.add(listen);
      this.#mourners.add(mourn);
    });
  }

  /** SIGKILL: no chance to tidy up. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** An interrupt, as by Ctrl-C: it closes the wallet. */
  async interrupt(): Promise<void> {
    await this.#end("SIGINT");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }

  #take(text: string): void {
    let line: WalletLine;
    try {
      line = JSON.parse(text) as WalletLine;
    } catch {
      return; // the last line of a killed process may be cut
    }
    this.#lines.push(line);
    if (typeof line.seq === "string") this.#lastSeq = BigInt(line.seq);
    for (const listener of [...this.#listeners]) listener(line);
  }
}
