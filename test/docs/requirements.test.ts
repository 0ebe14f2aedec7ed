import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { isOneTest, isThere, listOf, type NamedTest, read, readTests } from "./named-tests.ts";

// Compares docs/requirements.md with the specification, with the code and the tests that it names, and with the lists below.
// They may only become shorter: what is built or tested leaves its list together with its word on the page.

/** Nothing of these is built. */
const NOT_BUILT = "W-40";
/** A part of these is built; the page says what is missing. */
const IN_PART = "M-64 M-67 W-24";
/** No test can fail when these are broken; the page says why. */
const UNTESTED = "";
/** To break one of these loses, invents or miscounts money. */
const ABOUT_MONEY =
  "M-1 M-32 M-33 M-34 M-38 M-39 M-40 M-41 M-42 M-43 M-44 M-46 M-49 M-51 M-52 M-54 M-60 M-61 M-62 M-63 M-67 M-68 M-69 M-70 " +
  "W-1 W-2 W-3 W-4 W-5 W-6 W-7 W-8 W-9 W-10 W-11 W-12 W-13 W-14 W-15 W-17 W-18 W-19 W-20 W-21 W-34 W-35 W-37 W-41 W-47 W-48 W-49 W-50";

interface Row {
  readonly number: string;
  readonly section: string;
  readonly isBold: boolean;
  readonly rule: string;
  readonly code: readonly string[];
  readonly tests: readonly NamedTest[];
  /** Why there is no test, if there is none. */
  readonly untested: string | undefined;
  readonly planted: readonly string[];
  readonly missing: string;
}

const root = new URL("../../", import.meta.url);
const rows = readRows();
const numbersOf = (of: readonly Row[]) => of.map(({ number }) => number).join(" ");

test("each number of the specification stands on the page once, in its section", () => {
  expect(rows.map(({ number, section }) => `${section}: ${number}`)).toEqual(numbersOfSpecification());
  expect(rows).toHaveLength(120);
});

test("the code that is named is there", () => {
  const absent = rows.flatMap(({ number, code }) => code.filter((file) => !isThere(file)).map((file) => `${number}: ${file}`));
  expect(absent).toEqual([]);
});

test("what is built names a test that is there, by a name that only one has, or why there is none", () => {
  const wrong = rows.flatMap(({ number, tests }) =>
    tests.filter((named) => !isOneTest(named)).map(({ file, title }) => `${number}: ${file} ${title}`),
  );
  expect(wrong).toEqual([]);
  const open = rows.filter(({ code, tests, untested }) => code.length > 0 !== (tests.length > 0 || untested !== undefined));
  expect(numbersOf(open)).toBe("");
  expect(numbersOf(rows.filter(({ untested }) => untested !== undefined))).toBe(UNTESTED);
});

test("what is built and about money names a planted bug that a test of its row shows", () => {
  expect(numbersOf(rows.filter(({ isBold }) => isBold))).toBe(ABOUT_MONEY);
  const bare = rows.filter(({ isBold, tests, planted }) => isBold && tests.length > 0 && planted.length === 0);
  expect(numbersOf(bare)).toBe("");
  const unshown = rows.flatMap(({ number, planted, tests }) =>
    planted.filter((name) => !tests.some(({ file }) => file === shownBy(name))).map((name) => `${number}: ${name}`),
  );
  expect(unshown).toEqual([]);
});

test("what is not built is said with the place where it will be, and is what was not built before", () => {
  const notBuilt = rows.filter(({ code }) => code.length === 0);
  const inPart = rows.filter(({ code, missing }) => code.length > 0 && missing !== "");
  console.log(`requirements: ${notBuilt.length} of ${rows.length} are not built, ${inPart.length} in part`);
  const placeless = rows.filter(
    ({ code, missing }) => !/^((issue 4|issue 5|rounds): .|$)/.test(missing) || (code.length === 0 && missing === ""),
  );
  expect(numbersOf(placeless)).toBe("");
  expect(numbersOf(notBuilt)).toBe(NOT_BUILT);
  expect(numbersOf(inPart)).toBe(IN_PART);
});

/** `section: number`, in the order of the specification. */
function numbersOfSpecification(): string[] {
  const found: string[] = [];
  let section = "";
  for (const line of read("docs/protocol/mailbox.md").split("\n")) {
    section = /^### (\d+\.\d+) /.exec(line)?.[1] ?? section;
    const number = /^- \*\*([MW]-\d+)\b/.exec(line)?.[1];
    if (number !== undefined) found.push(`${section}: ${number}`);
  }
  return found;
}

function readRows(): Row[] {
  const found: Row[] = [];
  let section = "";
  for (const line of read("docs/requirements.md").split("\n")) {
    section = /^## (\d+\.\d+) /.exec(line)?.[1] ?? section;
    if (!/^\| \**[MW]-/.test(line)) continue;
    const cells = line.split("|").map((cell) => cell.trim());
    const [, number = "", rule = "", code = "", tested = "", planted = "", missing = ""] = cells;
    if (cells.length !== 8 || rule === "") throw new Error(`expected six cells and a rule, got ${line}`);
    found.push({
      number: number.replaceAll("*", ""),
      section,
      isBold: number.startsWith("**"),
      rule,
      code: listOf(code, ",").map((file) => file.replaceAll("`", "")),
      tests: tested.startsWith("none: ") ? [] : readTests(tested),
      untested: /^none: (.+)/.exec(tested)?.[1],
      planted: listOf(planted, ","),
      missing,
    });
  }
  return found;
}

/** The test that a planted bug turns red, or nothing if there is no such bug. */
function shownBy(name: string): string | undefined {
  if (!readdirSync(new URL("test/planted", root)).includes(`${name}.patch`)) return undefined;
  return /^Shown by: (.+)$/m.exec(read(`test/planted/${name}.patch`))?.[1];
}
