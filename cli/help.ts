import type { ArgumentSpec } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { Style } from "./style.ts";
import { formatPairs } from "./table.ts";

/** Help for the whole of `heartwood`. */
export function programHelp(commands: readonly Command[], style: Style): string[] {
  return [
    `${style.strong("heartwood")}: a wallet engine for Ark, and tools around it`,
    "",
    `${style.strong("Usage")}  heartwood COMMAND [OPTIONS]`,
    "",
    style.strong("Commands"),
    ...indent(
      formatPairs(
        commands.map((command) => [usage(command), command.summary] as const),
        plainNames,
      ),
    ),
    "",
    style.strong("Options"),
    ...indent(
      formatPairs(
        [
          ["-h, --help", "show this, or with a command its own help"],
          ["--version", "show the version"],
        ],
        plainNames,
      ),
    ),
    "",
    "Results go to standard output, messages to standard error. Exit code 0 is success,",
    "1 a failure, 2 a wrong command line. NO_COLOR=1 switches colours off.",
  ];
}

/** Help for one command. */
export function commandHelp(command: Command, style: Style): string[] {
  const options = Object.entries(command.options).map(([name, option]) => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const value = option.value === undefined ? "" : ` ${option.value}`;
    return [`${short}--${name}${value}`, option.describes] as const;
  });
  return [
    `${style.strong(`heartwood ${command.name}`)}: ${command.summary}`,
    "",
    `${style.strong("Usage")}  heartwood ${usage(command)} [OPTIONS]`,
    "",
    ...command.details.trim().split("\n"),
    "",
    style.strong("Options"),
    ...indent(formatPairs([...options, ["-h, --help", "show this"]], plainNames)),
  ];
}

const plain = (text: string) => text;
const plainNames: Style = { strong: plain, faint: plain, good: plain, bad: plain, notice: plain, accent: plain };

function usage(command: ArgumentSpec & { name: string }): string {
  return [command.name, ...command.operands].join(" ");
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
