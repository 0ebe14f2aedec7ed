import { existsSync, readFileSync } from "node:fs";

// Tests that a page of the documentation names: `file` title, or the title's beginning and `…`.

const root = new URL("../../", import.meta.url);

/** A test as a page names it. */
export interface NamedTest {
  /** Path in the tree. */
  readonly file: string;
  /** Its title, or the beginning of it and `…`. */
  readonly title: string;
}

/** A file of the tree. */
export const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** Whether a file is in the tree. */
export const isThere = (path: string): boolean => existsSync(new URL(path, root));

/** Items of a cell. */
export function listOf(cell: string, separator: string): string[] {
  return cell === "" ? [] : cell.split(separator).map((item) => item.trim());
}

/** The tests of a cell. */
export function readTests(cell: string): NamedTest[] {
  return listOf(cell, "<br>").map((text) => {
    const [, place = "", title = ""] = /^`([^`]+)` (.+)$/.exec(text) ?? [];
    const [, property] = /^property\/(.+)$/.exec(place) ?? [];
    return { file: property === undefined ? `test/${place}.test.ts` : `property-tests/${property}.property.test.ts`, title };
  });
}

/** Whether there is exactly one test of that name; `cases` also looks among the rows of tables of cases. */
export function isOneTest({ file, title }: NamedTest, { cases = false } = {}): boolean {
  return title !== "" && isThere(file) && titlesOf(file, cases).filter((found) => isNamed(found, title)).length === 1;
}

const isNamed = (found: string, title: string) => (title.endsWith("…") ? found.startsWith(title.slice(0, -1)) : found === title);

/** Titles of the tests of a file, and of the suites beside it that it runs. */
function titlesOf(file: string, cases: boolean): string[] {
  const suites = [...read(file).matchAll(/from "\.\/(suites\/[\w-]+\.ts)"/g)].map(([, suite]) =>
    file.replace(/[^/]+$/, `${suite}`),
  );
  const texts = [file, ...suites].map(read).join("\n");
  const opening = cases ? "[([]" : "\\(";
  const titles = new RegExp(`${opening}\\s*(["'\`])((?:(?!\\1).)+)\\1,`, "g");
  return [...texts.matchAll(titles)].map(([, , title]) => title ?? "");
}
