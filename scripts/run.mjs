// `npm start`, `npm test` and `npm run heartwood` from a bare clone: get ready, then become the program.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, root } from "./ensure.mjs";

const [what, ...args] = process.argv.slice(2);
const programs = {
  demo: () => [join(root, "dist", "cli", "main.js"), "demo"],
  heartwood: () => [join(root, "dist", "cli", "main.js")],
  test: () => [join(root, "node_modules", "vitest", "vitest.mjs"), "run"],
};

ensureInstalled();
if (what !== "test") ensureBuilt(); // vitest builds in its own set-up
const inCheckout = what === "test" ? root : (process.env.INIT_CWD ?? process.cwd());
const child = spawn(process.execPath, [...programs[what](), ...args], { cwd: inCheckout, stdio: "inherit" });
// A terminal sends its interrupt to both; the child decides how to end.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 128 + 15 : (code ?? 1)));
