import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROW = /^\| `([^`]+)` `([A-Z0-9_]+)` \| ([\d,]+) \| [^|]* \| `([^`]+)` \|$/gm;
const CONSTANT = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: number)? = ([-0-9_ *n()]+);/gm;
/** Names that say that a constant is a bound. */
const BOUND = /(^|_)(MAX|MOST|LIMIT|LONGEST|CONCURRENT|PLACES)(_|$)/;
const FOLDERS = ["chain", "engine", "machines", "store", "streams", "visualizer"];

const rows = [...readFileSync("docs/limits.md", "utf8").matchAll(ROW)].map(([, file = "", name = "", value = "", shown]) => ({
  constant: `${file} ${name}`,
  value: BigInt(value.replaceAll(",", "")),
  shown,
}));

/** Constants that are plain numbers, by file and name. */
function constants(): Map<string, bigint> {
  const files = execFileSync("git", ["ls-files", ...FOLDERS], { encoding: "utf8" }).split("\n");
  const found = new Map<string, bigint>();
  for (const file of files.filter((name) => name.endsWith(".ts") && !/generated|\/page\//.test(name))) {
    for (const [, name = "", text = ""] of readFileSync(file, "utf8").matchAll(CONSTANT)) {
      found.set(`${file} ${name}`, numberIn(text));
    }
  }
  return found;
}

/** Differences of products of powers are all that constants are made of: `2n ** 63n - 1n`. */
function numberIn(text: string): bigint {
  const [first = "", ...others] = text.replaceAll(/[n_()\s]/g, "").split(/(?<=\d)-/);
  const product = (factors: string): bigint =>
    factors
      .replaceAll("**", "^")
      .split("*")
      .map((factor) => factor.split("^").map(BigInt))
      .reduce((result, [base = 1n, exponent = 1n]) => result * base ** exponent, 1n);
  return others.reduce((result, part) => result - product(part), product(first));
}

test("each limit has the value that the documentation says", () => {
  const actual = constants();
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.map(({ constant, value }) => [constant, value])).toEqual(
    rows.map(({ constant }) => [constant, actual.get(constant)]),
  );
});

test("each constant whose name says that it is a bound is documented", () => {
  const documented = new Set(rows.map(({ constant }) => constant));
  const bounds = [...constants().keys()].filter((constant) => BOUND.test(constant.split(" ")[1] ?? ""));
  expect(bounds.filter((constant) => !documented.has(constant))).toEqual([]);
});

test("each test that the documentation names is there", () => {
  const pathOf = (name = ""): string =>
    name.startsWith("property/") ? `property-tests/${name.slice(9)}.property.test.ts` : `test/${name}.test.ts`;
  expect(rows.filter(({ shown }) => !existsSync(pathOf(shown)))).toEqual([]);
});
