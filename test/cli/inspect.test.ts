import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Running, runHere } from "./heartwood.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));

test("inspect serves an export at a printed address until it is interrupted, and answers only with its key", async () => {
  const running = new Running("inspect", GOLDEN, "--json");
  const { url } = JSON.parse(await running.line()) as { url: string };
  const { origin, hash } = new URL(url);
  const authorization = `Bearer ${hash.slice("#token=".length)}`;
  expect((await fetch(`${origin}/`)).headers.get("content-type")).toContain("text/html");
  expect((await fetch(`${origin}/api/hello`)).status).toBe(401);
  const hello = (await (await fetch(`${origin}/api/hello`, { headers: { authorization } })).json()) as { source: string };
  expect(hello).toMatchObject({ name: "wallet.export", source: "log" });
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(0);
});

test("inspect --html writes one file and never over another; options that do not go together are refused", async () => {
  const directory = await mkdtemp(join(tmpdir(), "heartwood-inspect-"));
  try {
    const file = join(directory, "page.html");
    const { code, stdout } = await runHere(["inspect", GOLDEN, "--html", file, "--from", "10", "--to", "20", "--json"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { file, from: "10", to: "20" }]);
    expect(await readFile(file, "utf8")).toContain('id="heartwood-data"');
    expect((await runHere(["inspect", GOLDEN, "--html", file])).code).toBe(1);
    const other = join(directory, "other.html");
    expect((await runHere(["inspect", GOLDEN, "--html", other, "--port", "1"])).code).toBe(2);
    expect((await runHere(["inspect", GOLDEN, "--from", "1"])).code).toBe(2);
    expect(existsSync(other)).toBe(false);
  } finally {
    await rm(directory, { recursive: true });
  }
});
