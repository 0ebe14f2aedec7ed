import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Heartwood } from "heartwood";
import { expect, test } from "vitest";
import { createMachine } from "xstate";
import { machines } from "../../machines/registry.ts";
import { importLog, openLevelLog } from "../../store/index.ts";
import { appendRecords, databaseFiles } from "../store/helpers.ts";
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

test("definitions writes each machine to a new file that XState takes, and never over another", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "heartwood-definitions-")), "machines");
  try {
    expect((await runHere(["definitions", folder])).code).toBe(0);
    const files = await readdir(folder);
    expect(files.sort()).toEqual(machines.map(({ name }) => `${name}.json`).sort());
    for (const file of files) {
      const { root } = createMachine(JSON.parse(await readFile(join(folder, file), "utf8")) as object);
      expect(Object.keys(root.states).length, file).toBeGreaterThan(0);
    }
    expect((await runHere(["definitions", folder])).code).toBe(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("others can look at a directory that is inspected, and a wallet that is to be opened there is told by whom", async () => {
  const directory = await mkdtemp(join(tmpdir(), "heartwood-inspect-"));
  const path = join(directory, "wallet");
  await importLog(GOLDEN, path);
  const running = new Running("inspect", path, "--json");
  try {
    await running.line();
    await using history = await Heartwood.history(path);
    await history.read();
    expect(history.progress).toMatchObject({ head: history.progress.total, failure: null });
    const refusal = await openLevelLog(path).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "STORE_LOCKED", holder: { pid: running.child.pid, readOnly: true } });
    expect((refusal as Error).message).toContain("end it first");
  } finally {
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(0);
    await rm(directory, { recursive: true });
  }
});

test("a damaged log is refused as one file with its code and the way to a salvage, which can be looked at", async () => {
  const directory = await mkdtemp(join(tmpdir(), "heartwood-inspect-"));
  try {
    const [path, salvaged] = [join(directory, "wallet"), join(directory, "salvaged")];
    await importLog(GOLDEN, path);
    // The next opening puts what the write-ahead log holds into a table: here the last record has one of its own.
    for (const count of [0, 1, 0]) {
      await using log = await openLevelLog(path);
      await appendRecords(log, count);
    }
    const tables = await databaseFiles(path, ".ldb");
    const contents = await Promise.all(tables.map(async (file) => ({ file, bytes: await readFile(file) })));
    const [largest] = contents.sort((one, other) => other.bytes.length - one.bytes.length);
    if (largest === undefined) throw new Error("expected a table, got none");
    const { file, bytes } = largest;
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await using history = await Heartwood.history(path);
    await history.over();
    expect(history.progress.failure).toMatchObject({ code: "STORE_BAD_DATABASE" });
    await history[Symbol.asyncDispose]();
    const page = join(directory, "page.html");
    const { code, stderr } = await runHere(["inspect", path, "--html", page]);
    expect([code, existsSync(page)]).toEqual([1, false]);
    expect(stderr).toContain("STORE_BAD_DATABASE");
    expect(stderr).toContain("heartwood log salvage DIR NEWDIR");
    expect((await runHere(["log", "salvage", path, salvaged])).code).toBe(0);
    expect((await runHere(["inspect", salvaged, "--html", page])).code).toBe(0);
  } finally {
    await rm(directory, { recursive: true });
  }
});
