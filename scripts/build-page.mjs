// The page of the visualizer as three files: the template, one script with all that it imports, and the style.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";
import { root } from "./ensure.mjs";

/** Parts of the style, in the order in which they override each other. */
const STYLE = [
  ...["colours", "page", "controls", "timeline", "panels", "marks"],
  ...["charts", "instances", "records", "record", "money", "dialogs"],
  ...["wide", "narrow"],
];

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
copyFileSync(join(source, "index.html"), join(target, "index.html"));
const style = STYLE.map((name) => readFileSync(join(source, "style", `${name}.css`), "utf8"));
writeFileSync(join(target, "style.css"), style.join("\n"));
