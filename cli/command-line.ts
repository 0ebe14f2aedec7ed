import { adviceOn } from "./advice.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CliError, describeError } from "./errors.ts";
import { commandHelp, programHelp } from "./help.ts";
import { type Output, printError } from "./output.ts";
import { suggest } from "./suggest.ts";
import { packageVersion } from "./version.ts";

const EXIT_FAILURE = 1;
/** Exit codes of their own; those above 128 are what a shell reports for SIGINT and SIGPIPE. */
const EXIT_CODES: Readonly<Record<string, number>> = { USAGE: 2, INTERRUPTED: 130, BROKEN_PIPE: 141 };
const HELP_OPTION = { help: { describes: "show this", short: "h" } };

/** Runs what the words of a command line ask for; resolves to the exit code, and never rejects. */
export async function runCommandLine(words: readonly string[], commands: readonly Command[], output: Output): Promise<number> {
  const command = findCommand(words, commands);
  try {
    const code = command === undefined ? await runProgram(words, commands, output) : await runCommand(command, words, output);
    if (output.failure === undefined) return code;
    throw output.failure;
  } catch (error) {
    const { code } = describeError(error);
    if (code !== "BROKEN_PIPE") await printError(error, output, command?.options.json !== undefined && words.includes("--json"));
    if (code === "USAGE") output.message(`Try: heartwood ${command === undefined ? "" : `${command.name} `}--help`);
    const advice = command === undefined ? undefined : adviceOn(error, command);
    if (advice !== undefined) output.message(advice);
    return EXIT_CODES[code] ?? EXIT_FAILURE;
  }
}

async function runCommand(command: Command, words: readonly string[], output: Output): Promise<number> {
  const own = words.slice(command.name.split(" ").length);
  if (asksForHelp(own)) return print(commandHelp(command, output.style), output);
  return command.run(parseArguments(own, command), output);
}

async function runProgram(words: readonly string[], commands: readonly Command[], output: Output): Promise<number> {
  const [first] = words;
  if (first === undefined)
    throw new CliError("USAGE", `expected a command (${commands.map(({ name }) => name).join(", ")}), got nothing`);
  if (first.startsWith("-")) {
    const given = parseArguments(words, {
      operands: [],
      options: { ...HELP_OPTION, version: { describes: "show the version" } },
    });
    if (given.has("help")) return print(programHelp(commands, output.style), output);
    if (given.has("version")) return print([packageVersion()], output);
  }
  throw unknownCommand(words, commands);
}

/** `--help` counts wherever it stands, so that it can be added to a command line that does not work yet. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

function findCommand(words: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands.find(({ name }) => name.split(" ").every((word, i) => words[i] === word));
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): CliError {
  const names = commands.map(({ name }) => name);
  const group = names.filter((name) => name.startsWith(`${words[0]} `));
  if (group.length > 0 && words[1] === undefined)
    return new CliError("USAGE", `expected one of ${group.join(", ")}, got ${JSON.stringify(words[0])} alone`);
  const given = words.slice(0, group.length > 0 ? 2 : 1).join(" ");
  const meant = suggest(words.slice(0, 2).join(" "), names) ?? suggest(words[0] ?? "", names);
  return new CliError(
    "USAGE",
    `unknown command ${JSON.stringify(given.slice(0, 60))}${meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`}`,
  );
}

async function print(lines: readonly string[], output: Output): Promise<number> {
  for (const line of lines) await output.line(line);
  return 0;
}
