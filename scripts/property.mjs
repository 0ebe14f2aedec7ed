// npm run property -- [--seed N] [--path P] [--runs N] [FILE …]: property tests alone, replayed from a seed.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./ensure.mjs";

const { values, positionals } = parseArgs({
  options: { seed: { type: "string" }, path: { type: "string" }, runs: { type: "string" } },
  allowPositionals: true,
});
ensureInstalled();
const environment = { ...process.env };
if (values.seed !== undefined) environment.PROPERTY_SEED = values.seed;
if (values.path !== undefined) environment.PROPERTY_PATH = values.path;
if (values.runs !== undefined) environment.PROPERTY_RUNS = values.runs;
const filters = positionals.length > 0 ? positionals : ["property-tests"];
const { status } = spawnSync(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...filters], {
  cwd: root,
  env: environment,
  stdio: "inherit",
});
process.exit(status ?? 1);
