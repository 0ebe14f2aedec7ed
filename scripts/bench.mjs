// npm run bench -- [commits|open|movements]: what the log costs, against a bare LevelDB on the same disk in the same run. The figures
// are of this machine at this moment: only ratios of one run mean something.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, root, run } from "./ensure.mjs";

/** Records, packages, VTXOs a package: the live state is the same in each. */
const FILLINGS = [
  [10_000, 2_000, 50],
  [100_000, 2_000, 50],
  [1_000_000, 2_000, 50],
];
/** As many VTXOs, each with a movement of its own. Takes minutes more, hence only when asked for. */
const MOVEMENTS = [1_000_000, 100_000, 1];

const wanted = process.argv[2];
ensureInstalled();
run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.bench.json"]);
if (wanted === undefined || wanted === "commits") measure("commits");
if (wanted === undefined || wanted === "open") for (const filling of FILLINGS) measure("open", ...filling.map(String));
if (wanted === "movements") measure("open", ...MOVEMENTS.map(String));

function measure(...args) {
  const { status } = spawnSync(process.execPath, [join(root, "dist", "bench", "bench", "main.js"), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
