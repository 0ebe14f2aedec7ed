// npm run test:upstream -- DIRECTORY: the known answers of a directory that holds the full bark-known-answers.json,
// published test strings of the reference included.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ensureInstalled, root } from "./ensure.mjs";

const file = "bark-known-answers.json";
const [given, ...rest] = process.argv.slice(2);
if (given === undefined || rest.length > 0) refuse("usage: npm run test:upstream -- DIRECTORY");
const directory = resolve(process.env.INIT_CWD ?? process.cwd(), given);
if (!existsSync(join(directory, file))) refuse(`expected ${file} in ${directory}, found none`);

ensureInstalled();
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", "--config", "vitest.upstream.config.ts"], {
  cwd: root,
  env: { ...process.env, UPSTREAM_VECTORS: directory },
  stdio: "inherit",
});
process.exit(status ?? 1);

function refuse(message) {
  process.stderr.write(`heartwood: ${message}\n`);
  process.exit(2);
}
