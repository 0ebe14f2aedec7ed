import { describe, expect, it } from "vitest";
import { withFinalPreimage, withFinalSignature } from "../../ark/complete.ts";
import { allWitnessesPresent } from "../../ark/exit.ts";
import { decodeHex } from "../../ark/hex.ts";
import { decodeTransaction } from "../../ark/transaction.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo, type Vtxo } from "../../ark/vtxo.ts";
import { loadKnownAnswers } from "../vectors.ts";

const answers = loadKnownAnswers();
const vtxoNamed = (name: string) => decodeVtxo(decodeHex(answers.vtxos.find((vtxo) => vtxo.name === name)?.hex ?? ""));
const anchorNamed = (name: string) =>
  decodeTransaction(decodeHex(answers.transactions.find((transaction) => transaction.name === name)?.hex ?? ""));
const refused = (code: string) => expect.objectContaining({ code });

describe.each(["v0", "v1"])("the locked leaves of the %s tree", (version) => {
  const locked = vtxoNamed(`derived/${version}_leaf1_locked`);
  const final = vtxoNamed(`derived/${version}_leaf1_final`);
  const anchor = anchorNamed(`derived/${version}_tree_funding_tx`);
  const transition = final.genesis.at(-1)?.transition;
  if (transition === undefined || !("unlock" in transition) || !("preimage" in transition.unlock)) {
    throw new Error("expected a hash-locked last item with its preimage");
  }
  const { preimage } = transition.unlock;
  const signature = transition.signature ?? new Uint8Array(0);

  it("become final with signature and preimage, in any order", () => {
    expect(allWitnessesPresent(locked)).toBe(false);
    expect(withFinalPreimage(withFinalSignature(locked, signature), preimage)).toEqual(final);
    expect(withFinalSignature(withFinalPreimage(locked, preimage), signature)).toEqual(final);
    validateVtxo(withFinalPreimage(withFinalSignature(locked, signature), preimage), anchor);
  });

  it("take over no other preimage", () => {
    const other = preimage.map((byte) => byte ^ 1);
    expect(() => withFinalPreimage(locked, other)).toThrow(refused("WRONG_PREIMAGE"));
    expect(() => withFinalPreimage(final, other)).toThrow(refused("WRONG_PREIMAGE"));
    expect(() => withFinalPreimage(locked, preimage.slice(1))).toThrow(refused("OUT_OF_RANGE"));
  });

  it("take a signature of 64 bytes as it is: validation judges it", () => {
    const forged = withFinalPreimage(
      withFinalSignature(
        locked,
        signature.map((byte) => byte ^ 1),
      ),
      preimage,
    );
    expect(() => validateVtxo(forged, anchor)).toThrow(refused("TRANSITION_INVALID_SIGNATURE"));
    expect(() => withFinalSignature(locked, signature.slice(1))).toThrow(refused("OUT_OF_RANGE"));
  });
});

it("only a hash-locked last item can be completed", () => {
  const leaf = vtxoNamed("derived/v1_leaf1_final");
  const cosignedLast: Vtxo = { ...leaf, genesis: leaf.genesis.slice(0, 1) };
  expect(() => withFinalSignature(cosignedLast, new Uint8Array(64))).toThrow(refused("NOT_HASH_LOCKED"));
  expect(() => withFinalPreimage({ ...leaf, genesis: [] }, new Uint8Array(32))).toThrow(refused("NOT_HASH_LOCKED"));
});
