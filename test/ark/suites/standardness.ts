import { expect, it } from "vitest";
import { decodeHex } from "../../../ark/hex.ts";
import { outputStandardness } from "../../../ark/standardness.ts";
import type { KnownAnswers } from "../../vectors.ts";

/** Claims about `output_standardness` of the known answers. */
export function describeStandardness(answers: KnownAnswers): void {
  it.each(answers.output_standardness)("$script_type of $value_sat sats: $result", ({ script_hex, value_sat, result }) => {
    expect(outputStandardness({ amountSats: BigInt(value_sat), script: decodeHex(script_hex) })).toBe(result);
  });
}
