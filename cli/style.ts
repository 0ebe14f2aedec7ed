import { stripVTControlCharacters, styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Ways to set text off; each returns the text unchanged where there is no colour. */
export interface Style {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly notice: (text: string) => string;
  readonly accent: (text: string) => string;
}

/** What is asked about an output stream to decide on colour and progress. */
export interface Screen {
  readonly isTTY?: boolean;
}

/** Whether a stream is a terminal that can move its cursor. */
export function isInteractive(stream: Screen, environment: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && environment.TERM !== "dumb";
}

/** Colours for a terminal, none elsewhere and none where `NO_COLOR` is set and not empty (no-color.org). */
export function styleFor(stream: Screen, environment: NodeJS.ProcessEnv = process.env): Style {
  const colourful = isInteractive(stream, environment) && !environment.NO_COLOR;
  const format = (name: Format) => (text: string) => (colourful ? styleText(name, text, { validateStream: false }) : text);
  return {
    strong: format("bold"),
    faint: format("dim"),
    good: format("green"),
    bad: format("red"),
    notice: format("yellow"),
    accent: format("cyan"),
  };
}

/** Columns that a text takes on a terminal, colour codes not counted. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
