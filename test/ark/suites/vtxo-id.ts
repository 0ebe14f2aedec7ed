import { describe, expect, it } from "vitest";
import { encodeHex } from "../../../ark/hex.ts";
import { decodeVtxoId, encodeVtxoId, parseVtxoId } from "../../../ark/vtxo-id.ts";
import { errorCode, type KnownAnswers } from "../../vectors.ts";

/** Claims about `vtxo_id_text` and the rejected ids of the known answers. */
export function describeVtxoIds(answers: KnownAnswers): void {
  describe("known VTXO ids", () => {
    it.each(answers.vtxo_id_text)("$text is read", ({ text, id_hex }) => {
      const id = parseVtxoId(text);
      expect(id).toBe(text.toLowerCase());
      expect(encodeHex(encodeVtxoId(id))).toBe(id_hex);
      expect(decodeVtxoId(encodeVtxoId(id))).toBe(id);
    });

    it.each(answers.rejections.filter(({ input }) => input === "vtxo-id-text"))("$text is refused", ({ text, error }) => {
      expect(() => parseVtxoId(text ?? "")).toThrow(expect.objectContaining({ code: errorCode(error) }));
    });
  });
}
