// The page of the visualizer as three files: the template, one script with all that it imports, and the style.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";
import { root } from "./ensure.mjs";

const source = join(root, "visualizer", "page");
const target = join(root, "dist", "visualizer", "page");

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
await build({
  input: join(source, "main.ts"),
  platform: "browser",
  cwd: root,
  output: { file: join(target, "main.js"), format: "es", minify: true, codeSplitting: false },
  logLevel: "warn",
});
for (const file of ["index.html", "style.css"]) copyFileSync(join(source, file), join(target, file));
