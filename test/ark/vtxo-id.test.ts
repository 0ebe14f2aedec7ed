import { expect, it } from "vitest";
import { encodeHex } from "../../ark/hex.ts";
import { decodeVtxoId, encodeVtxoId, parseVtxoId } from "../../ark/vtxo-id.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeVtxoIds } from "./suites/vtxo-id.ts";

describeVtxoIds(loadKnownAnswers());

it("the wire form holds the txid reversed and the index little endian", () => {
  const id = `${"00".repeat(31)}ab:258`;
  expect(encodeHex(encodeVtxoId(id))).toBe(`ab${"00".repeat(31)}02010000`);
});

it.each([35, 37])("%i bytes are no id", (length) => {
  expect(() => decodeVtxoId(new Uint8Array(length))).toThrow(expect.objectContaining({ code: "BAD_VTXO_ID" }));
});

it.each(["", `${"ab".repeat(32)}:0\n`, `${"ab".repeat(31)}:0`, `0x${"ab".repeat(32)}:0`, `${"ab".repeat(32)}:0:0`])(
  "%j is refused",
  (text) => {
    expect(() => parseVtxoId(text)).toThrow(expect.objectContaining({ code: "BAD_VTXO_ID" }));
  },
);
