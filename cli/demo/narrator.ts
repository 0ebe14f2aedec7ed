import type { Output } from "../output.ts";
import { Progress } from "../progress.ts";

const WIDTH = 42;

/** Tells the story, a line at a time, in the order of telling. */
export class Narrator {
  readonly #output: Output;
  readonly #progress = new Progress(process.stderr);
  #told: Promise<void> = Promise.resolve();

  constructor(output: Output) {
    this.#output = output;
  }

  title(text: string): void {
    this.#tell("");
    this.#tell(this.#output.style.strong(text));
  }

  /** Something that is under way. */
  say(text: string): void {
    this.#tell(`  ${this.#output.style.faint("·")} ${text}`);
  }

  /** What is waited for, until the next line; on a terminal only. */
  wait(text: string): void {
    if (process.stderr.isTTY) this.#told = this.#told.then(() => this.#progress.update(`  ${text}`));
  }

  /** Something that came out as it should. */
  done(what: string, detail: string): void {
    const { good, faint } = this.#output.style;
    this.#tell(`  ${good("✓")} ${what.padEnd(WIDTH)} ${faint(detail)}`);
  }

  line(text: string): void {
    this.#tell(text);
  }

  /** Resolves when all of it is written. */
  async finish(): Promise<void> {
    await this.#told;
    this.#progress.clear();
  }

  #tell(text: string): void {
    this.#told = this.#told.then(() => {
      this.#progress.clear();
      return this.#output.line(text);
    });
    this.#told.catch(() => {}); // `finish` tells
  }
}
