import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importLog } from "heartwood/store";
import { beforeAll, expect, test } from "vitest";
import { formatExplanation } from "../../cli/explain-view.ts";
import { formatStatus } from "../../cli/status-view.ts";
import { styleFor } from "../../cli/style.ts";
import { type ExplainedStep, Heartwood } from "../../engine/index.ts";
import { runHere } from "./heartwood.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));
const STATUS = JSON.parse(readFileSync("test/vectors/golden/status.json", "utf8"));

let wallet: string;
beforeAll(async () => {
  wallet = join(mkdtempSync(join(tmpdir(), "heartwood-cli-explain-")), "wallet");
  await importLog(GOLDEN, wallet);
  return () => rmSync(join(wallet, ".."), { recursive: true });
});

test("explain prints each record of a story with its rules, and everything with --json", async () => {
  const { id } = STATUS.vtxos.find(({ checkpoint }: { readonly checkpoint: string }) => checkpoint !== "0");
  const shown = await runHere(["explain", wallet, id.slice(0, 8)]);
  expect([shown.code, shown.stderr]).toEqual([0, ""]);
  const [title] = shown.stdout.split("\n");
  expect(title).toBe(`VTXO ${id}: expired`);
  expect(shown.stdout).toMatch(/^ +\d+ {2}2026-.*Z {2}message\/\d+\/[0-9a-f]{32} {2}message\.received: Vetting$/m);
  expect(shown.stdout).toMatch(/sat credited as movement/);
  expect(shown.stdout).toContain("mailbox.md M-43");

  const { code, stdout } = await runHere(["explain", wallet, id, "--json"]);
  const told = JSON.parse(stdout);
  expect([code, told.kind, told.id, told.leftOut]).toEqual([0, "vtxo", id, 0]);
  expect(told.steps.at(-1)).toMatchObject({ machine: "expiry", event: "tip.seen", seq: expect.stringMatching(/^\d+$/) });
});

test("quarantine lists what is held with its reason, as text and as JSON; --retry needs the mnemonic", async () => {
  const shown = await runHere(["quarantine", wallet]);
  expect([shown.code, shown.stderr]).toEqual([0, ""]);
  const { quarantine } = STATUS as { quarantine: { key: string; code: string }[] };
  expect(quarantine.length).toBeGreaterThan(1);
  for (const { key, code } of quarantine) expect(shown.stdout).toMatch(new RegExp(`^${key} .*\\n  ${code}: `, "m"));
  expect(shown.stdout).toMatch(/held since 20.*Z, looked at again \d+ times?, next at 20/);
  const { stdout } = await runHere(["quarantine", wallet, "--json"]);
  const lines = stdout.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).key)).toEqual(quarantine.map(({ key }) => key));
  const refused = await runHere(["quarantine", wallet, "--retry"]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("expected --mnemonic-file FILE")]);
  for (const [option, value] of [
    ["--mnemonic-file", "words"],
    ["--timeout", "5"],
  ] as const) {
    const { code, stderr } = await runHere(["quarantine", wallet, option, value]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`expected --retry with ${option}`)]);
  }
});

test("what is not there is NOT_FOUND, as text and as JSON", async () => {
  const { code, stderr } = await runHere(["explain", wallet, "00000000"]);
  expect([code, stderr.includes("heartwood: NOT_FOUND: ")]).toEqual([1, true]);
  const json = await runHere(["explain", wallet, "no\u001bsuch", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: "NOT_FOUND" } });
  expect(json.stdout).not.toContain("\u001b");
});

test("text from elsewhere cannot reach the terminal through an explanation", () => {
  const step = { seq: 1n, atMs: 0, machine: "m", instance: "m/1", event: "e", from: "A", to: "B", causeSeq: 0n, effectId: "" };
  const hostile: ExplainedStep = { ...step, code: "C\u001b[2J", rules: ["r\n"], text: "a\u202eb\u001b[31m" };
  const explanation = { kind: "vtxo", id: "x", now: "y\u0007", steps: [hostile], leftOut: 0 } as const;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  expect(formatExplanation(explanation, styleFor({})).join("|")).not.toMatch(/[\u0000-\u001f\u202e]/);
});

test("status shows what is about to expire and what did in red", async () => {
  const { vtxos, ...rest } = await Heartwood.read(wallet);
  const [first, ...others] = vtxos;
  if (first === undefined) throw new Error("expected a VTXO in the golden log");
  const status = { ...rest, vtxos: [{ ...first, state: "spendable" as const, expiryStage: "exit" as const }, ...others] };
  const lines = formatStatus(status, styleFor({ isTTY: true }, { TERM: "xterm" }));
  const expiry = lines.find((line) => line.includes("expiry") && line.includes("VTXO"));
  const [, expired, nearly] = expiry?.split("\u001b[31m") ?? [];
  expect(expired).toMatch(/^\d+ VTXOs? expired, [\d,]+ sat/);
  expect(nearly).toMatch(/^\d+ VTXOs? about to expire, [\d,]+ sat/);
  expect(lines.find((line) => line.includes("balance"))).toContain("of it expired");
});
