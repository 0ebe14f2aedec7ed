import { execFileSync } from "node:child_process";

/** Tests that spawn real processes run what users run: the built package. */
export default function setup(): void {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
}
