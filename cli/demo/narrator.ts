import type { Output } from "../output.ts";

const WIDTH = 42;

/** Tells the story, a line at a time, in the order of telling. */
export class Narrator {
  readonly #output: Output;
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

  /** Something that came out as it should. */
  done(what: string, detail: string): void {
    const { good, faint } = this.#output.style;
    this.#tell(`  ${good("✓")} ${what.padEnd(WIDTH)} ${faint(detail)}`);
  }

  line(text: string): void {
    this.#tell(text);
  }

  /** Resolves when all of it is written. */
  finish(): Promise<void> {
    return this.#told;
  }

  #tell(text: string): void {
    this.#told = this.#told.then(() => this.#output.line(text));
    this.#told.catch(() => {}); // `finish` tells
  }
}
