import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("every planted bug still fits the tree and names a promise and a test that there is", () => {
  const patches = readdirSync("test/planted").filter((file) => file.endsWith(".patch"));
  expect(patches.length).toBeGreaterThanOrEqual(20);
  for (const file of patches.map((name) => `test/planted/${name}`)) {
    const { status, stderr } = spawnSync("git", ["apply", "--check", file], { encoding: "utf8" });
    expect(status, `${file}: ${stderr}`).toBe(0);
    const [, shown = ""] = /^Shown by: (.+)$/m.exec(readFileSync(file, "utf8")) ?? [];
    expect(existsSync(shown), `${file} is shown by ${shown}`).toBe(true);
  }
});
