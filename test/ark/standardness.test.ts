import { describe, expect, it } from "vitest";
import { decodeHex } from "../../ark/hex.ts";
import { findNonStandardOutput, isStandard, outputStandardness } from "../../ark/standardness.ts";
import { decodeVtxo, type Vtxo } from "../../ark/vtxo.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeStandardness } from "./suites/standardness.ts";

const answers = loadKnownAnswers();
describeStandardness(answers);

describe("the first output that fails decides", () => {
  const vtxo = decodeVtxo(decodeHex(answers.vtxos[0]?.hex ?? ""));
  const [first, second] = vtxo.genesis;
  if (first === undefined || second === undefined) throw new Error("expected two items");
  const fine = { amountSats: 330n, script: decodeHex(`5120${"11".repeat(32)}`) };
  const dust = { ...fine, amountSats: 329n };
  const odd = { amountSats: 1_000n, script: decodeHex("51024e73") };
  const chain = (...siblings: (typeof fine)[][]): Vtxo => ({
    ...vtxo,
    genesis: [
      { ...first, siblings: siblings[0] ?? [] },
      { ...second, siblings: siblings[1] ?? [] },
    ],
  });

  it("a chain of standard outputs has none", () => {
    expect(findNonStandardOutput(chain([fine], [fine, fine]))).toBeNull();
    expect(isStandard({ ...chain([fine]), amountSats: 330n })).toBe(true);
  });

  it("the VTXO's own output comes first", () => {
    expect(findNonStandardOutput({ ...chain([odd]), amountSats: 329n })).toEqual({ output: "own", reason: "dust" });
  });

  it("then the siblings, in item order and list order", () => {
    const fault = { output: "sibling", reason: "dust", genesisIndex: 1, siblingIndex: 1 };
    expect(findNonStandardOutput(chain([fine], [fine, dust, odd]))).toEqual(fault);
    expect(findNonStandardOutput(chain([odd], [dust]))).toEqual({
      output: "sibling",
      reason: "non-standard-script",
      genesisIndex: 0,
      siblingIndex: 0,
    });
    expect(isStandard(chain([], [odd]))).toBe(false);
  });

  it("fee anchors are not looked at", () => {
    expect(isStandard({ ...vtxo, genesis: [{ ...first, siblings: [], feeSats: 1n }] })).toBe(true);
  });
});

it("a script that only begins like a template is non-standard", () => {
  for (const hex of [
    `5120${"11".repeat(31)}`,
    `0014${"11".repeat(21)}`,
    `76a914${"11".repeat(20)}88ad`,
    `a914${"11".repeat(20)}88`,
    "",
  ]) {
    expect(outputStandardness({ amountSats: 1_000_000n, script: decodeHex(hex) })).toBe("non-standard-script");
  }
});
