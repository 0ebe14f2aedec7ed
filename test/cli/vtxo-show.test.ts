import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { run, runHere } from "./heartwood.ts";

const VERDICTS = gunzipSync(readFileSync(new URL("../vectors/mutated-verdicts.jsonl.gz", import.meta.url))).toString();
const SEND = (JSON.parse(VERDICTS.split("\n")[1] ?? "") as { vtxo: string }).vtxo;

describe("heartwood vtxo show", () => {
  it("shows amount, keys, terms, anchor and every step", async () => {
    const { code, stdout, stderr } = await run(["vtxo", "show", SEND]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const part of [
      /^VTXO e38d82de9b415c219bce3e3943c3c1dbd71d09553ec6a1be20f68875ea5b5197:0$/m,
      /^amount +36,000 sat$/m,
      /^kind +server-htlc-send-v1$/m,
      /^owner key +022d063d81bcffd3434df8cd686886679f89ecb8dce2f7d565dc2c45f93c4ef84a$/m,
      /^payment hash +51ee319e4c2c1a848873aff5182cdfa56bff75a3ad79b71995d2fe261c64f309$/m,
      /^HTLC expiry +block 100,010$/m,
      /^server key +02ef894844217b5a59a7e9fe01333f7899412f95268c364a61c0709ee0995e3346$/m,
      /^expiry +block 101,010$/m,
      /^exit delta +2,016 blocks, about 14 days$/m,
      /^exit depth +3 transactions$/m,
      /^anchor +20591032a1483578b56345aa9b90da46762cdcfec03554a1863febe3e67fe130:0$/m,
      /^anchor holds +41,320 sat$/m,
      /^witnesses +all present$/m,
      /^relay +standard$/m,
      /^2 +arkoor +1 +0 +2 +4,000 sat +– +signed +71c7cb1d10b922f902d9a4be71c3d279e1252513143bbbd27c4e7297a378eeab$/m,
    ]) {
      expect(stdout).toMatch(part);
    }
  });

  it("shows the same from standard input, blanks around the hex or not", async () => {
    const { stdout } = await run(["vtxo", "show", SEND]);
    expect(await run(["vtxo", "show", "-"], `\n ${SEND.toUpperCase()}\r\n`)).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("prints one object with --json", async () => {
    const { code, stdout } = await run(["vtxo", "show", "--json", SEND]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      id: "e38d82de9b415c219bce3e3943c3c1dbd71d09553ec6a1be20f68875ea5b5197:0",
      amountSats: "36000",
      policy: { kind: "server-htlc-send-v1", htlcExpiryHeight: 100_010 },
      anchor: { amountSats: "41320" },
      genesis: [{ kind: "cosigned", signature: "present" }, { kind: "arkoor", siblingsSats: "4000" }, { kind: "arkoor" }],
      complete: true,
      standard: true,
    });
  });

  it("shows every VTXO that decodes, whatever is wrong with it", { timeout: 60_000 }, async () => {
    const odd = VERDICTS.trim()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as { vtxo: string; expect: { decode: boolean; txids: string[]; standard: boolean; depth: number } },
      )
      .filter(({ expect: { decode } }) => decode);
    const overflowing = odd.find(({ expect: { txids, depth } }) => depth > 0 && txids.length === 0);
    const notStandard = odd.find(({ expect: { standard } }) => !standard);
    expect((await runHere(["vtxo", "show", overflowing?.vtxo ?? ""])).stdout).toContain("cannot be built");
    expect((await runHere(["vtxo", "show", notStandard?.vtxo ?? ""])).stdout).toContain("not standard: ");
  });

  it.each([
    ["no hex", "zz", "BAD_HEX"],
    ["half a byte", "abc", "BAD_HEX"],
    ["no VTXO", "0200", "SHORT_INPUT"],
    ["left-over bytes", `${SEND}00`, "TRAILING_BYTES"],
  ])("%s is refused by name", async (_, hex, code) => {
    const plain = await runHere(["vtxo", "show", hex]);
    expect([plain.code, plain.stdout]).toEqual([1, ""]);
    expect(plain.stderr).toMatch(new RegExp(`^heartwood: ${code}: expected .*, got .*\\n$`));

    const json = await runHere(["vtxo", "show", "--json", hex]);
    expect([json.code, json.stderr]).toEqual([1, ""]);
    expect(JSON.parse(json.stdout)).toEqual({ error: { code, message: expect.any(String) } });
  });
});
