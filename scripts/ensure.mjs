// Makes a checkout ready to run: installs what is missing, builds what is stale. Prints to standard
// error only, so that a command's standard output stays its own.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installStamp = join(root, "node_modules", ".heartwood-lock");
const buildStamp = join(root, "dist", ".built");
const sources = [
  ...["ark", "machines", "proto", "streams", "store", "chain", "engine", "simulator", "visualizer", "cli", "examples"],
  "property-tests/reliability",
  "property-tests/deliveries", // a part of it that other tests use too
];

export function ensureInstalled() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Heartwood needs Node.js 20.19 or later, this is ${process.versions.node}`);
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  // A link leads to what another checkout installed: that one keeps it as it should be.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink() === true) return;
  if (existsSync(installStamp) && readFileSync(installStamp, "utf8") === lock) return;
  process.stderr.write("Installing packages (npm ci) …\n");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(installStamp, lock);
}

export function ensureBuilt() {
  if (existsSync(buildStamp) && statSync(buildStamp).mtimeMs >= newestSource()) return;
  const started = Date.now();
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"]);
  run(process.execPath, [join(root, "scripts", "build-page.mjs")]);
  mkdirSync(dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, new Date(started).toISOString());
}

/** Runs a program in the checkout with its output on our standard error; ends this process if it fails. */
export function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (error) fail(`could not run ${program}: ${error.message}`);
  if (status !== 0) fail(`${program} ${args.join(" ")} ended with exit code ${status}`);
}

function fail(message) {
  process.stderr.write(`heartwood: ${message}\n`);
  process.exit(1);
}

function newestSource() {
  let newest = Math.max(
    ...["tsconfig.json", "tsconfig.build.json", "package-lock.json", "scripts/build-page.mjs"].map(
      (file) => statSync(join(root, file)).mtimeMs,
    ),
  );
  for (const folder of sources) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
    }
  }
  return newest;
}
