import { describe, expect, it } from "vitest";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { decodeTransaction, encodeTransaction, type Transaction, transactionId } from "../../ark/transaction.ts";

/** The coinbase transaction of Bitcoin's block 0. */
const GENESIS_COINBASE =
  "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000";

const witnessed: Transaction = {
  version: 2,
  inputs: [
    { outpoint: { txid: "ab".repeat(32), vout: 7 }, script: Uint8Array.of(0x51), sequence: 0xfffffffd, witness: [] },
    {
      outpoint: { txid: "cd".repeat(32), vout: 0xffffffff },
      script: new Uint8Array(0),
      sequence: 0,
      witness: [new Uint8Array(0), new Uint8Array(300).fill(1)],
    },
  ],
  outputs: [{ amountSats: 2n ** 64n - 1n, script: new Uint8Array(253).fill(0x6a) }],
  lockTime: 0xffffffff,
};
const bad = expect.objectContaining({ code: "BAD_TRANSACTION" });

it("the coinbase of Bitcoin's first block keeps its bytes and its id", () => {
  const transaction = decodeTransaction(decodeHex(GENESIS_COINBASE));
  expect(encodeHex(encodeTransaction(transaction))).toBe(GENESIS_COINBASE);
  expect(transactionId(transaction)).toBe("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
});

it("a transaction with witnesses survives its bytes, and its id does not depend on them", () => {
  expect(decodeTransaction(encodeTransaction(witnessed))).toEqual(witnessed);
  const stripped = { ...witnessed, inputs: witnessed.inputs.map((input) => ({ ...input, witness: [] })) };
  expect(encodeTransaction(witnessed, { witness: false })).toEqual(encodeTransaction(stripped));
  expect(transactionId(witnessed)).toBe(transactionId(stripped));
});

describe("refused", () => {
  const bytes = encodeTransaction(witnessed);

  it("every prefix, and one byte more", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeTransaction(bytes.slice(0, length))).toThrow(bad);
    }
    expect(() => decodeTransaction(Uint8Array.of(...bytes, 0))).toThrow(bad);
  });

  it("the marker without a witness: the same transaction would have two encodings", () => {
    const stripped = encodeTransaction(witnessed, { witness: false });
    const marked = Uint8Array.of(...stripped.slice(0, 4), 0, 1, ...stripped.slice(4, -4), 0, 0, ...stripped.slice(-4));
    expect(() => decodeTransaction(marked)).toThrow(bad);
  });

  it("another flag than 1", () => {
    const flagged = bytes.slice();
    flagged[5] = 2;
    expect(() => decodeTransaction(flagged)).toThrow(bad);
  });

  it("no inputs, no outputs", () => {
    expect(() => decodeTransaction(encodeTransaction({ ...witnessed, outputs: [] }))).toThrow(bad);
    expect(() => decodeTransaction(decodeHex("0200000000010000000000"))).toThrow(bad);
    expect(() => decodeTransaction(decodeHex("02000000000000000000"))).toThrow(bad);
  });

  it("counts and lengths beyond the input, without allocating by them", () => {
    expect(() => decodeTransaction(decodeHex("02000000ffffffffffffffffff"))).toThrow(bad);
    expect(() => decodeTransaction(decodeHex("02000000fe00000100"))).toThrow(bad);
  });

  it("a non-minimal count", () => {
    const stripped = encodeTransaction(witnessed, { witness: false });
    expect(() => decodeTransaction(Uint8Array.of(...stripped.slice(0, 4), 0xfd, 2, 0, ...stripped.slice(5)))).toThrow(bad);
  });
});
