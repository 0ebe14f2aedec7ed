// node scripts/golden-log.mjs [--same-revision]: makes the golden log and the golden walks of test/vectors/golden anew.
// It refuses where a machine changed and kept its revision; --same-revision does it all the same, which is right only as
// long as no release has written a log.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./ensure.mjs";

const { values } = parseArgs({ options: { "same-revision": { type: "boolean" } } });
ensureInstalled();
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", "test/engine/golden.test.ts"], {
  cwd: root,
  env: { ...process.env, HEARTWOOD_GOLDEN: values["same-revision"] ? "write-same-revision" : "write" },
  stdio: "inherit",
});
process.exit(status ?? 1);
