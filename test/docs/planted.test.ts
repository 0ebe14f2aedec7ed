import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("every planted bug still fits the tree and names a promise and a test that there is", () => {
  const patches = readdirSync("test/planted").filter((file) => file.endsWith(".patch"));
  expect(patches.length).toBeGreaterThanOrEqual(20);
  for (const file of patches.map((name) => `test/planted/${name}`)) {
    const { status, stderr } = spawnSync("git", ["apply", "--check", file], { encoding: "utf8" });
    expect(status, `${file}: ${stderr}`).toBe(0);
    for (const [path, found] of places(readFileSync(file, "utf8"))) {
      expect(found, `${file}: places in ${path} that one of its hunks fits`).toBe(1);
    }
    const [, shown = ""] = /^Shown by: (.+)$/m.exec(readFileSync(file, "utf8")) ?? [];
    expect(existsSync(shown), `${file} is shown by ${shown}`).toBe(true);
    const [, named = ""] = /^Named: (.+)$/m.exec(readFileSync(file, "utf8")) ?? [];
    expect(readFileSync(shown, "utf8"), `${file} is shown by ${shown}`).toContain(named);
  }
});

/** Of each hunk: the file, and how often its old lines stand there. Twice, and the bug lands where its test does not look. */
function places(patch: string): [string, number][] {
  return patch
    .split(/^--- a\//m)
    .slice(1)
    .flatMap((part) => {
      const path = part.slice(0, part.indexOf("\n"));
      const source = readFileSync(path, "utf8");
      const hunks = part.split(/^@@ .*\n/m).slice(1);
      return hunks.map((hunk): [string, number] => {
        const old = hunk.split("\n").filter((line) => /^[ -]/.test(line));
        return [path, source.split(old.map((line) => `${line.slice(1)}\n`).join("")).length - 1];
      });
    });
}
