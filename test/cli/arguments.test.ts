import { describe, expect, it } from "vitest";
import { parseArguments } from "../../cli/arguments.ts";

const SPEC = {
  operands: ["DIR"],
  options: {
    json: { describes: "" },
    server: { value: "URL", describes: "" },
    "grpc-port": { value: "PORT", describes: "" },
    network: { value: "NAME", describes: "", short: "n" },
  },
};

const parse = (...words: string[]) => parseArguments(words, SPEC);

describe("a command line", () => {
  it("may leave out an operand in brackets, and no other", () => {
    const spec = { operands: ["DIR", "[SATS]"], options: {} };
    expect(parseArguments(["wallet"], spec).operands).toEqual(["wallet"]);
    expect(parseArguments(["wallet", "5"], spec).operands).toEqual(["wallet", "5"]);
    expect(() => parseArguments([], spec)).toThrow("expected DIR, got nothing");
    expect(() => parseArguments(["wallet", ""], spec)).toThrow("got an empty word");
    expect(() => parseArguments(["wallet", "5", "6"], spec)).toThrow("got also");
  });

  it("may have options before, after and between operands, with = or a blank", () => {
    for (const words of [
      ["dir", "--json", "--server", "x"],
      ["--json", "--server=x", "dir"],
      ["--server", "x", "--json", "--", "dir"],
    ]) {
      const given = parse(...words);
      expect([given.operands, given.has("json"), given.text("server"), given.text("network")]).toEqual([
        ["dir"],
        true,
        "x",
        undefined,
      ]);
    }
    expect(parse("dir", "-n", "signet").choice("network", ["bitcoin", "signet"])).toBe("signet");
    expect(parse("dir", "--grpc-port", "0").integer("grpc-port", 65_535)).toBe(0);
    expect(parse("--", "-dir").operands).toEqual(["-dir"]);
    expect(parse("-").operands).toEqual(["-"]);
  });

  it.each([
    [[], "expected DIR, got nothing"],
    [[""], "expected DIR, got an empty word"],
    [["a", "b"], 'expected DIR, got also "b"'],
    [["a", "--sever", "x"], 'unknown option "--sever"; did you mean --server?'],
    [["a", "--constructor"], 'unknown option "--constructor"'],
    [["a", "-x"], 'unknown option "-x"'],
    [["a", "--server"], "expected a value for --server (--server URL), got none"],
    [["a", "--server", "--json"], "expected a value for --server (--server URL), got none"],
    [["a", "--server="], "expected a value for --server (--server URL), got none"],
    [["a", "--json=1"], "expected no value for --json, got one"],
    [["a", "--json", "--json"], "expected --json once, got it twice"],
  ])("%j is refused: %s", (words, message) => {
    expect(() => parse(...words)).toThrow(expect.objectContaining({ code: "USAGE", message }));
  });

  it.each(["-1", "65536", "1.5", "1e3", "0x10", "ten", " 1"])("%j is no port", (text) => {
    expect(() => parse("dir", `--grpc-port=${text}`).integer("grpc-port", 65_535)).toThrow(
      expect.objectContaining({ code: "USAGE" }),
    );
  });

  it("a word outside the choices is refused with the choices", () => {
    expect(() => parse("dir", "-n", "mainnet").choice("network", ["bitcoin", "signet"])).toThrow(
      'expected one of bitcoin, signet for --network, got "mainnet"',
    );
  });
});
