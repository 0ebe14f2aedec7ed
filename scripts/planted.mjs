// npm run planted -- [--runs N] [--seed N] [--draw N | NAME …]: bugs that are put in on purpose, one at a time and only in a
// copy of the tree, must each be caught by the tests that its patch names (test/planted/*.patch): those of the file "Shown by",
// or of it those with "Named" in their names. --draw takes so many of them, chosen by the seed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./ensure.mjs";

const { values, positionals } = parseArgs({
  options: {
    runs: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    draw: { type: "string" },
  },
  allowPositionals: true,
});
const left = new Set(["node_modules", "dist", ".git"]);
/** Tests that start programs of the build need one of the copy, bug and all. */
const needsBuild = (test) => test.startsWith("test/store/") || test.startsWith("property-tests/reliability/");
const config = (globalSetup) => `import { alias } from "./vitest.config.ts";
export default {
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts", "property-tests/**/*.property.test.ts"],
    globalSetup: ${JSON.stringify(globalSetup)},
    testTimeout: 60_000,
    pool: "forks",
    bail: 1, // one red test is enough
    // What a patch leaves alone is transformed once for all of them; the copy goes afterwards, and this with it.
    experimental: { fsModuleCache: true, fsModuleCachePath: ".transformed" },
  },
};
`;
const environment = { PROPERTY_RUNS: values.runs, PROPERTY_SEED: values.seed, PROPERTY_SHRINK: "0", NO_COLOR: "1" };

ensureInstalled();
const directory = join(root, "test", "planted");
const names = readdirSync(directory)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => basename(file, ".patch"));
let copy;
const unknown = positionals.filter((name) => !names.includes(name));
if (values.draw !== undefined && !(Number(values.draw) > 0)) end(2, `planted: expected --draw N, got ${values.draw}`);
if (unknown.length > 0) end(2, `planted: expected one of ${names.join(", ")}, got ${unknown.join(", ")}`);

copy = mkdtempSync(join(tmpdir(), "heartwood-planted-"));
let missed = 0;
try {
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(relative(root, path)) });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  writeFileSync(join(copy, "planted.config.mjs"), config([]));
  writeFileSync(join(copy, "planted-built.config.mjs"), config(["test/build.ts"]));
  const wanted = values.draw === undefined ? (positionals.length > 0 ? positionals : names) : drawn(names, Number(values.draw));
  for (const name of wanted) if (!isCaught(name)) missed++;
  const draw = values.draw === undefined ? "" : `, of ${names.length} that there are, drawn with --seed ${values.seed}`;
  console.log(`${wanted.length - missed} of ${wanted.length} planted bugs were caught${draw}`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exit(missed === 0 ? 0 : 1);

/** So many of the names, in an order that the seed decides. */
function drawn(from, count) {
  const rank = (name) => createHash("sha256").update(`${values.seed} ${name}`).digest("hex");
  return [...from].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}

/** Applies one patch, runs its test, takes the patch back. */
function isCaught(name) {
  const file = join(directory, `${name}.patch`);
  const text = readFileSync(file, "utf8");
  const test = /^Shown by: (.+)$/m.exec(text)?.[1] ?? "";
  const named = /^Named: (.+)$/m.exec(text)?.[1];
  const startedMs = Date.now();
  apply(file, "--check");
  apply(file);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      "--config",
      needsBuild(test) ? "planted-built.config.mjs" : "planted.config.mjs",
      test,
      ...(named === undefined ? [] : ["--testNamePattern", named]),
    ],
    { cwd: copy, encoding: "utf8", env: { ...process.env, ...environment } },
  );
  apply(file, "--reverse");
  const isRed = status !== 0;
  const output = `${stdout}${stderr}`;
  const how = isRed ? redness(output) : "";
  if (how === undefined) end(2, `planted: ${name} failed without a test that did:\n${output.slice(-2_000)}`);
  const seconds = `${Math.round((Date.now() - startedMs) / 1_000)} s`;
  console.log(`${isRed ? "caught" : "MISSED"}  ${name}  ${seconds}${isRed ? `  ${how}` : ""}`);
  return isRed;
}

/** Red for the right reason: a counterexample or a failed test, not a tree that does not compile. */
function redness(output) {
  const found = /Property failed after (\d+) tests/.exec(output);
  const cause = /Caused by: (.+)/.exec(output)?.[1] ?? "";
  if (found !== null) return `after ${found[1]} runs: ${cause.slice(0, 120)}`;
  const [, test] = / FAIL .*? > (.+)/.exec(output) ?? [];
  const [, failed] = /^ +Tests +(\d+) failed/m.exec(output) ?? [];
  return test === undefined || failed === undefined
    ? undefined
    : `${failed} failed, the first: ${`${test} ${cause}`.slice(0, 160)}`;
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
