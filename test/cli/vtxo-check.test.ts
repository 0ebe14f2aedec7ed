import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Running, run, start } from "./heartwood.ts";

interface VerdictLine {
  vtxo: string;
  anchorTx: string;
  expect: Record<string, unknown>;
}

const TEXT = gunzipSync(readFileSync(new URL("../vectors/mutated-verdicts.jsonl.gz", import.meta.url))).toString();
const LINES = TEXT.trim().split("\n");
const [FIRST = ""] = LINES;
const { vtxo, anchorTx } = JSON.parse(FIRST) as VerdictLine;

const answers = (stdout: string) =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function check(...lines: string[]) {
  const { code, stdout, stderr } = await run(["vtxo", "check"], lines.join("\n"));
  expect([code, stderr]).toEqual([0, ""]);
  return answers(stdout);
}

describe("heartwood vtxo check", () => {
  it("agrees with every verdict of the reference implementation", { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await run(["vtxo", "check"], TEXT);
    expect([code, stderr]).toEqual([0, ""]);
    const got = answers(stdout);
    expect(got).toHaveLength(LINES.length);
    expect(LINES.length).toBeGreaterThan(1500);
    for (const [i, line] of LINES.entries()) {
      const { expect: expected } = JSON.parse(line) as VerdictLine;
      const answer = got[i] ?? {};
      expect(Object.fromEntries(Object.keys(expected).map((name) => [name, answer[name]])), `line ${i + 1}`).toEqual(expected);
      expect([typeof answer.code, typeof answer.message], `line ${i + 1}`).toEqual(
        expected.valid ? ["object", "object"] : ["string", "string"],
      );
    }
  });

  it("answers with exactly the documented members", async () => {
    const [valid, undecodable] = await check(JSON.stringify({ vtxo, anchorTx }), JSON.stringify({ vtxo: "", anchorTx }));
    expect(valid).toEqual({
      decode: true,
      valid: true,
      id: "64b09abb41227c360e508efd0275d8ba5ec5b44c9e541f1da1707547069c9a33:0",
      kind: "pubkey",
      depth: 1,
      amountSats: "40000",
      expiryHeight: 101010,
      txids: ["64b09abb41227c360e508efd0275d8ba5ec5b44c9e541f1da1707547069c9a33"],
      standard: true,
      code: null,
      message: null,
    });
    expect(undecodable).toEqual({
      decode: false,
      valid: false,
      id: null,
      kind: null,
      depth: null,
      amountSats: null,
      expiryHeight: null,
      txids: [],
      standard: false,
      code: "SHORT_INPUT",
      message: expect.any(String),
    });
  });

  it("takes hex of either case, other members, CRLF and a last line without its end", async () => {
    const upper = JSON.stringify({ anchorTx: anchorTx.toUpperCase(), vtxo: vtxo.toUpperCase(), expect: {}, note: "\u202e" });
    const got = await check(`${upper}\r`, FIRST);
    expect(got.map(({ valid }) => valid)).toEqual([true, true]);
  });

  it("answers each unusable line in its place and judges the others", async () => {
    const unusable: [line: string, code: string][] = [
      ["", "BAD_JSON"],
      ["{", "BAD_JSON"],
      ["\u001b]0;x\u0007\u202e", "BAD_JSON"],
      ["[]", "BAD_JSON"],
      ["null", "BAD_JSON"],
      ["[".repeat(1_000_000), "BAD_JSON"],
      [JSON.stringify({ anchorTx }), "BAD_MEMBER"],
      [JSON.stringify({ vtxo }), "BAD_MEMBER"],
      [JSON.stringify({ vtxo: 1, anchorTx }), "BAD_MEMBER"],
      ['{"__proto__": {"vtxo": "00", "anchorTx": "00"}}', "BAD_MEMBER"],
      [JSON.stringify({ vtxo: vtxo.slice(1), anchorTx }), "BAD_HEX"],
      [JSON.stringify({ vtxo, anchorTx: `${anchorTx.slice(0, -1)}g` }), "BAD_HEX"],
      [JSON.stringify({ vtxo, anchorTx: anchorTx.slice(0, -2) }), "BAD_ANCHOR_TX"],
      [JSON.stringify({ vtxo: "", anchorTx: "" }), "BAD_ANCHOR_TX"],
    ];
    const got = await check(...unusable.flatMap(([line]) => [FIRST, line]), FIRST);
    expect(got).toHaveLength(2 * unusable.length + 1);
    for (const [i, [line, code]] of unusable.entries()) {
      expect(got[2 * i + 1], line.slice(0, 60)).toEqual({ error: { code, message: expect.any(String) } });
    }
    expect(got.filter(({ valid }) => valid === true)).toHaveLength(unusable.length + 1);
  });

  it("answers bytes that are no UTF-8 and lines above 16 MiB", async () => {
    const long = Buffer.alloc(16 * 1024 * 1024 + 1, "a");
    const input = Buffer.concat([Buffer.of(0x22, 0xff, 0x22, 0x0a), long, Buffer.from(`\n${FIRST}\n`)]);
    const { code, stdout } = await run(["vtxo", "check"], input);
    expect(code).toBe(0);
    expect(answers(stdout).map((answer) => (answer.error as { code: string } | undefined)?.code ?? answer.valid)).toEqual([
      "BAD_JSON",
      "INPUT_TOO_LONG",
      true,
    ]);
  });

  it("answers nothing for no input", async () => {
    expect(await run(["vtxo", "check"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("answers each line before the next one comes", async () => {
    const running = new Running("vtxo", "check");
    for (let i = 0; i < 3; i++) {
      running.child.stdin.write(`${FIRST}\n`);
      expect(await running.line("", i)).toMatch(/^\{"decode":true,"valid":true.*\}$/);
    }
    running.child.stdin.end();
    expect((await running.ended).code).toBe(0);
  });

  it("stops reading while its answers are not read", async () => {
    const child = start("vtxo", "check");
    const result = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.stdin.on("error", () => {}); // It is killed in the middle.
    let accepted = 0;
    // Short lines with long answers; with a paused reader the pipes fill and writing has to wait.
    while (accepted < 64 && (child.stdin.write("x\n".repeat(50_000)) || (await drained(child.stdin)))) accepted++;
    expect(accepted).toBeLessThan(64);
    child.kill("SIGKILL");
    await result;
  });

  it("ends quietly when nobody reads its answers any more", async () => {
    const child = start("vtxo", "check");
    child.stdout.destroy();
    child.stdin.on("error", () => {});
    child.stdin.write(`${FIRST}\n`.repeat(20));
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect([code, stderr]).toEqual([141, ""]);
  });
});

/** Whether there is room again within a while. */
function drained(stream: NodeJS.WritableStream): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 1000);
    stream.once("drain", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
