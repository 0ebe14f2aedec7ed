import { expect, it } from "vitest";
import { ByteReader } from "../../../ark/bytes.ts";
import { decodeHex, encodeHex } from "../../../ark/hex.ts";
import { isComplete, spentOutput, transitionWitness } from "../../../ark/spent-output.ts";
import { decodeTransition, encodeTransition } from "../../../ark/transition.ts";
import type { KnownAnswers } from "../../vectors.ts";

/** Claims about `transitions` of the known answers. */
export function describeTransitions(answers: KnownAnswers): void {
  it.each(answers.transitions)("known transition $name decodes, re-encodes, spends its output with its witness", (answer) => {
    const reader = new ByteReader(decodeHex(answer.hex));
    const transition = decodeTransition(reader);
    reader.end();
    expect(encodeHex(encodeTransition(transition))).toBe(answer.hex);

    // The exit delta plays no part in an output that a transition spends.
    const context = { serverPubkey: decodeHex(answer.server_pubkey), expiryHeight: answer.expiry_height, exitDelta: 0 };
    const spent = spentOutput(transition, context);
    expect(encodeHex(spent.script)).toBe(answer.spent_output_script_hex);
    const witness = transitionWitness(transition, spent);
    expect(witness.map(encodeHex)).toEqual(answer.witness);
    expect(isComplete(transition)).toBe(answer.witness.length > 0);
  });
}
