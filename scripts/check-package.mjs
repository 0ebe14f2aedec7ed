// The package as a consumer gets it: exports, types, files.
import { ensureBuilt, run } from "./ensure.mjs";

ensureBuilt();
run("npx", ["--no-install", "publint", "--strict"]);
run("npx", ["--no-install", "attw", "--pack", ".", "--profile", "esm-only"]);
