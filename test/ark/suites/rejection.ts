import { describe, expect, it } from "vitest";
import { ByteReader } from "../../../ark/bytes.ts";
import { decodeHex } from "../../../ark/hex.ts";
import { decodeTransaction } from "../../../ark/transaction.ts";
import { decodeTransition } from "../../../ark/transition.ts";
import { validateVtxo } from "../../../ark/validate.ts";
import { decodeVtxo } from "../../../ark/vtxo.ts";
import { errorCode, type KnownAnswers, type RejectionVector } from "../../vectors.ts";

/** The rejected VTXOs whose anchor transaction is not in these answers: they need the full file. */
export function rejectionsWithoutAnchor({ transactions, rejections }: KnownAnswers): RejectionVector[] {
  const known = new Set(transactions.map(({ name }) => name));
  return rejections.filter(({ anchor_transaction: name }) => name !== undefined && !known.has(name));
}

/** Claims about the refused VTXOs and transitions of the known answers. */
export function describeRejections(answers: KnownAnswers): void {
  const left = new Set(rejectionsWithoutAnchor(answers));
  const runnable = answers.rejections.filter((rejection) => !left.has(rejection));

  describe("refused when decoding", () => {
    it.each(runnable.filter(({ input, stage }) => input === "full-vtxo" && stage === "decode"))(
      "VTXO $name: $error",
      ({ hex = "", error }) => {
        expect(() => decodeVtxo(decodeHex(hex))).toThrow(expect.objectContaining({ code: errorCode(error) }));
      },
    );

    it.each(runnable.filter(({ input }) => input === "genesis-transition"))("transition $name: $error", ({ hex = "", error }) => {
      expect(() => decodeTransition(new ByteReader(decodeHex(hex)))).toThrow(expect.objectContaining({ code: errorCode(error) }));
    });
  });

  describe("refused when validating", () => {
    it.each(runnable.filter(({ input, stage }) => input === "full-vtxo" && stage === "validate"))(
      "VTXO $name: $error",
      ({ hex = "", error, anchor_transaction, anchor_transaction_hex, genesis_index }) => {
        const named = answers.transactions.find(({ name }) => name === anchor_transaction);
        const anchor = decodeTransaction(decodeHex(anchor_transaction_hex ?? named?.hex ?? ""));
        const vtxo = decodeVtxo(decodeHex(hex));
        expect(() => validateVtxo(vtxo, anchor)).toThrow(
          expect.objectContaining({ code: errorCode(error), genesisIndex: genesis_index }),
        );
      },
    );
  });
}
