import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commands } from "../../cli/commands.ts";
import { run, runHere } from "./heartwood.ts";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

describe("help and version", () => {
  it("the whole help names every command and goes to standard output", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const { name, summary } of commands) expect(stdout).toMatch(new RegExp(`^  ${name}.*  ${summary}$`, "m"));
    expect(await runHere(["-h"])).toEqual({ code, stdout, stderr });
  });

  it.each(commands.map((command) => [command.name, command] as const))(
    "%s has help of its own, wherever --help stands",
    async (name, command) => {
      const { code, stdout, stderr } = await runHere([...name.split(" "), "--no-such-option", "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`heartwood ${name}: ${command.summary}`);
      for (const option of Object.keys(command.options)) expect(stdout).toContain(`--${option}`);
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
    },
  );

  it("the version is the package's", async () => {
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });
});

describe("a wrong command line", () => {
  it("ends the process with 2, and nothing on standard output", async () => {
    expect(await run(["vtxo", "check", "--frobnicate"])).toEqual({
      code: 2,
      stdout: "",
      stderr: 'heartwood: USAGE: unknown option "--frobnicate"\nTry: heartwood vtxo check --help\n',
    });
  });

  it.each([
    [[], "expected a command (", "heartwood --help"],
    [["frobnicate"], 'unknown command "frobnicate"', "heartwood --help"],
    [["vtxo"], 'expected one of vtxo check, vtxo show, got "vtxo" alone', "heartwood --help"],
    [["vtxo", "chekc"], 'unknown command "vtxo chekc"; did you mean "vtxo check"?', "heartwood --help"],
    [["--frobnicate"], 'unknown option "--frobnicate"', "heartwood --help"],
    [["\u001b[31m"], "unknown command", "heartwood --help"],
    [["vtxo", "check", "operand"], 'expected no operand, got also "operand"', "heartwood vtxo check --help"],
    [["vtxo", "show"], "expected HEX, got nothing", "heartwood vtxo show --help"],
    [["vtxo", "show", "--jsno", "00"], 'unknown option "--jsno"; did you mean --json?', "heartwood vtxo show --help"],
  ])("%j ends with 2, a message and a hint", async (words, message, hint) => {
    const { code, stdout, stderr } = await runHere(words);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`heartwood: USAGE: ${message}`);
    expect(stderr).toContain(`Try: ${hint}`);
    expect(stderr).not.toContain("\u001b");
  });
});
