import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const GUIDE = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** Does what the guide asks of curl, on machines that lack it too. */
const CURL = `
const [url, , body] = process.argv.slice(3);
const response = await fetch(url, body === undefined ? {} : { method: "POST", body });
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 22;
`;

it("every command of the guide works as it stands", { timeout: 120_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), "heartwood-guide-"));
  try {
    writeFileSync(join(home, "curl.mjs"), CURL);
    for (const [name, target] of [
      ["heartwood", MAIN],
      ["curl", join(home, "curl.mjs")],
    ] as const) {
      writeFileSync(join(home, name), `#!/bin/sh\nexec '${process.execPath}' '${target}' "$@"\n`);
      chmodSync(join(home, name), 0o755);
    }
    const blocks = [...GUIDE.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
    expect(blocks.length).toBeGreaterThan(6);
    const script = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null' EXIT", ...blocks].join("\n");
    const env = { ...process.env, PATH: `${home}${delimiter}${process.env.PATH}` };
    const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: home, env });
    expect(stdout).toMatch(/^balance +26,000 sat$/m);
    expect(stdout).toContain('{"decode":true,"valid":true,');
    expect(readFileSync(join(home, "events.jsonl"), "utf8")).toContain('"state":"Live"');
  } finally {
    rmSync(home, { recursive: true });
  }
});
