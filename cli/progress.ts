import { isInteractive, styleFor, widthOf } from "./style.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 80;
const RETURN_AND_CLEAR = "\r\u001b[2K";

/** A stream that progress is shown on. */
export interface ProgressScreen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What is shown, or what tells it anew whenever it is drawn, such as how long something takes by now. */
export type Words = string | (() => string);

/** One line about what is going on: a spinner on a terminal, a plain line for each new text elsewhere. */
export class Progress {
  readonly #stream: ProgressScreen;
  readonly #interactive: boolean;
  #text: Words = "";
  #detail: Words = "";
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: ProgressScreen) {
    this.#stream = stream;
    this.#interactive = isInteractive(stream);
  }

  /** Shows `text`, already safe for a terminal, until the next call; on a terminal with a `detail` that may change often. */
  update(text: Words, detail: Words = ""): void {
    if (!this.#interactive) {
      const told = spoken(text);
      if (told !== this.#text) this.#stream.write(`${told}\n`);
      this.#text = told;
      return;
    }
    this.#text = text;
    this.#detail = detail;
    if (this.#timer === undefined) this.#draw();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref();
  }

  /** Takes the line away, for instance before a result is printed. */
  clear(): void {
    if (this.#timer !== undefined) this.#stream.write(RETURN_AND_CLEAR);
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#text = "";
  }

  #draw(): void {
    const frame = FRAMES[this.#frame++ % FRAMES.length] ?? "";
    // A pseudo-terminal without a size says 0.
    const room = (this.#stream.columns || 80) - 3;
    const [said, detail] = [spoken(this.#text), spoken(this.#detail)];
    const whole = detail === "" ? said : `${said} ${detail}`;
    const text = widthOf(whole) > room ? `${[...whole].slice(0, room - 1).join("")}…` : whole;
    this.#stream.write(`${RETURN_AND_CLEAR}${styleFor(this.#stream).accent(frame)} ${text}`);
  }
}

function spoken(words: Words): string {
  return typeof words === "string" ? words : words();
}
