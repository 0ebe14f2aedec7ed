import { parseArgs } from "node:util";
import { CliError } from "./errors.ts";
import { suggest } from "./suggest.ts";

/** An option of a command, as its help shows it. Without `value` it is a switch. */
export interface OptionSpec {
  /** Name of the value in the help, such as `URL`. */
  readonly value?: string;
  readonly describes: string;
  readonly short?: string;
}

/** What a command takes: operands in order, and options by name. */
export interface ArgumentSpec {
  /** Names of the operands in the help; those in brackets, at the end, may be left out. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
}

/** The parsed command line of one command. */
export class Arguments {
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, string>;

  constructor(operands: readonly string[], values: ReadonlyMap<string, string>) {
    this.operands = operands;
    this.#values = values;
  }

  /** Whether a switch was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of an option, if it was given. */
  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The value of an option as one of the given words. @throws CliError `USAGE` */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.#values.get(name);
    const choice = choices.find((candidate) => candidate === text);
    if (text !== undefined && choice === undefined)
      throw new CliError("USAGE", `expected one of ${choices.join(", ")} for --${name}, got ${quote(text)}`);
    return choice;
  }

  /** The value of an option as a whole number from 0 to `max`. @throws CliError `USAGE` */
  integer(name: string, max: number): number | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= max)) throw new CliError("USAGE", `expected a whole number of 0 … ${max} for --${name}, got ${quote(text)}`);
    return value;
  }
}

/**
 * Parses the words after a command's name.
 *
 * @throws CliError `USAGE` on an unknown or repeated option, a missing or needless value, and a wrong number of operands
 */
export function parseArguments(words: readonly string[], spec: ArgumentSpec): Arguments {
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(Object.entries(spec.options).map(([name, option]) => [name, parserOption(option)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const operands: string[] = [];
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind === "option") values.set(token.name, optionValue(token, spec, values));
  }
  checkOperands(operands, spec.operands);
  return new Arguments(operands, values);
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function parserOption({ value, short }: OptionSpec) {
  return { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short === undefined ? {} : { short }) };
}

function optionValue(token: OptionToken, spec: ArgumentSpec, given: ReadonlyMap<string, string>): string {
  const option = Object.hasOwn(spec.options, token.name) ? spec.options[token.name] : undefined;
  if (option === undefined) {
    const meant = suggest(token.name, Object.keys(spec.options));
    throw new CliError(
      "USAGE",
      `unknown option ${quote(token.rawName)}${meant === undefined ? "" : `; did you mean --${meant}?`}`,
    );
  }
  if (given.has(token.name)) throw new CliError("USAGE", `expected --${token.name} once, got it twice`);
  if (option.value === undefined) {
    if (token.value !== undefined) throw new CliError("USAGE", `expected no value for --${token.name}, got one`);
    return "";
  }
  // A lone dash stands for standard input; any other word with a dash is the next option.
  const isNextOption = token.inlineValue === false && token.value !== "-" && token.value?.startsWith("-") === true;
  if (token.value === undefined || token.value === "" || isNextOption)
    throw new CliError("USAGE", `expected a value for --${token.name} (--${token.name} ${option.value}), got none`);
  return token.value;
}

function checkOperands(actual: readonly string[], expected: readonly string[]): void {
  const missing = expected[actual.length];
  if (missing !== undefined && !missing.startsWith("[")) throw new CliError("USAGE", `expected ${missing}, got nothing`);
  if (expected.some((_, i) => actual[i] === "")) throw new CliError("USAGE", `expected ${expected.join(" ")}, got an empty word`);
  const surplus = actual[expected.length];
  if (surplus !== undefined)
    throw new CliError("USAGE", `expected ${expected.join(" ") || "no operand"}, got also ${quote(surplus)}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
