// npm run planted -- [--runs N] [--seed N] [NAME …]: bugs that are put in on purpose, one at a time and only in a copy of the tree,
// must each be caught by the property test that its patch names (test/planted/*.patch).
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./ensure.mjs";

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "300" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});
const left = new Set(["node_modules", "dist", ".git"]);
const config = `import { alias } from "./vitest.config.ts";
export default { resolve: { alias }, test: { include: ["property-tests/**/*.property.test.ts"], pool: "forks" } };
`;
const environment = { PROPERTY_RUNS: values.runs, PROPERTY_SEED: values.seed, PROPERTY_SHRINK: "0", NO_COLOR: "1" };

ensureInstalled();
const directory = join(root, "test", "planted");
const names = readdirSync(directory)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => basename(file, ".patch"));
let copy;
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) end(2, `planted: expected one of ${names.join(", ")}, got ${unknown.join(", ")}`);

copy = mkdtempSync(join(tmpdir(), "heartwood-planted-"));
let missed = 0;
try {
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(relative(root, path)) });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  writeFileSync(join(copy, "planted.config.mjs"), config);
  const wanted = positionals.length > 0 ? positionals : names;
  for (const name of wanted) if (!isCaught(name)) missed++;
  console.log(`${wanted.length - missed} of ${wanted.length} planted bugs were caught`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exit(missed === 0 ? 0 : 1);

/** Applies one patch, runs its test, takes the patch back. */
function isCaught(name) {
  const file = join(directory, `${name}.patch`);
  const test = /^Shown by: (.+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  apply(file, "--check");
  apply(file);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--config", "planted.config.mjs", test],
    { cwd: copy, encoding: "utf8", env: { ...process.env, ...environment } },
  );
  apply(file, "--reverse");
  // Red for the right reason: a counterexample, not a tree that does not compile.
  const output = `${stdout}${stderr}`;
  const found = /Property failed after (\d+) tests/.exec(output);
  const cause = /Caused by: (.+)/.exec(output)?.[1] ?? "";
  if (status !== 0 && found === null) end(2, `planted: ${name} failed without a counterexample:\n${output.slice(-2_000)}`);
  const isRed = status !== 0;
  console.log(`${isRed ? "caught" : "MISSED"}  ${name}${isRed ? `  after ${found[1]} runs: ${cause.slice(0, 120)}` : ""}`);
  return isRed;
}

function apply(file, ...options) {
  const { status, stderr } = spawnSync("git", ["apply", ...options, file], { cwd: copy, encoding: "utf8" });
  if (status !== 0) end(2, `planted: ${basename(file)} does not fit the tree any more:\n${stderr}`);
}

function end(code, message) {
  if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
