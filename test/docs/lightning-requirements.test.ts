import { expect, test } from "vitest";
import { isOneTest, read, readTests } from "./named-tests.ts";

// Compares docs/requirements-lightning.md with the specification, and with the tests that it names.

/** Cells of the rows of the tables in a part of a page, without their headings; a heading's number is a prefix. */
function rowsOf(page: string, from: string, to: string): string[][] {
  const text = read(page);
  const part = text.slice(text.indexOf(from), to === "" ? undefined : text.indexOf(to));
  const lines = part.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  return lines.flatMap(([, ...cells], at) => {
    const isHead = /^-+$/.test(lines[at + 1]?.[1]?.replaceAll(" ", "") ?? "");
    return cells.length < 2 || isHead || /^-+$/.test(cells[0] ?? "") ? [] : [cells.slice(0, -1)];
  });
}

const PAGE = "docs/requirements-lightning.md";
const SPECIFICATION = "docs/protocol/lightning.md";
const rows = rowsOf(PAGE, "## What a server can try when a wallet sends", "");
const firstOf = (from: string, to: string) => rowsOf(PAGE, from, to).map(([first]) => first);

test("each row of §12 stands on the page once, in its order", () => {
  const attempts = rowsOf(SPECIFICATION, "## 12. ", "## 13. ").map(([step, attempt]) => `${step}: ${attempt}`);
  expect(attempts.length).toBe(29);
  expect(firstOf("## What a server can try when a wallet sends", "## Rules of")).toEqual(attempts);
});

test("each numbered rule and each scenario stands on the page once, in its order", () => {
  const text = read(SPECIFICATION);
  const rules = new Set([...text.matchAll(/\[HARDEN ([SR]\d+)\]/g)].map(([, rule]) => rule ?? ""));
  const inOrder = [...rules].toSorted(
    (a, b) => Number(a[0] === "R") - Number(b[0] === "R") || Number(a.slice(1)) - Number(b.slice(1)),
  );
  expect(inOrder).toHaveLength(22);
  expect(firstOf("## Rules of", "## Acceptance")).toEqual(inOrder);
  const scenarios = [...text.slice(text.indexOf("## 15. "), text.indexOf("## 16. ")).matchAll(/^(\d+)\. /gm)];
  expect(scenarios).toHaveLength(21);
  expect(firstOf("## Acceptance", "")).toEqual(scenarios.map(([, number]) => number));
});

test("each row names a test, and each test that is named is there, by a name that only one has", () => {
  expect(rows).toHaveLength(72);
  const tests = rows.map((cells) => ({ row: cells[0], tests: readTests(cells.at(-1) ?? "") }));
  expect(tests.filter(({ tests: named }) => named.length === 0)).toEqual([]);
  const wrong = tests.flatMap(({ row, tests: named }) =>
    named.filter((one) => !isOneTest(one, { cases: true })).map(({ file, title }) => `${row}: ${file} ${title}`),
  );
  expect(wrong).toEqual([]);
});
