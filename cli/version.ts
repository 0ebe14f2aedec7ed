import { existsSync, readFileSync } from "node:fs";

/** The version of this package, from the `package.json` above the source or the built file. */
export function packageVersion(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    const url = new URL(path, import.meta.url);
    if (existsSync(url)) return (JSON.parse(readFileSync(url, "utf8")) as { version: string }).version;
  }
  return "unknown";
}
