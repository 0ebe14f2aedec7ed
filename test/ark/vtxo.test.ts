import { describe, expect, it } from "vitest";
import { publicKeyOf, scalarToBytes } from "../../ark/crypto.ts";
import { MAX_GENESIS_ITEMS } from "../../ark/genesis.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { encodePolicy } from "../../ark/policy.ts";
import {
  decodeBareVtxo,
  decodeServerVtxo,
  decodeVtxo,
  decodeVtxoParts,
  encodeBareVtxo,
  encodeVtxo,
  type Vtxo,
} from "../../ark/vtxo.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeTransitions } from "./suites/transition.ts";
import { describeTransactions, describeVtxos } from "./suites/vtxo.ts";

const answers = loadKnownAnswers();
describeVtxos(answers);
describeTransactions(answers);
describeTransitions(answers);

const leaf = decodeVtxo(decodeHex(answers.vtxos.find(({ name }) => name === "derived/v1_leaf1_final")?.hex ?? ""));
const onChain = decodeVtxo(decodeHex(answers.vtxos.find(({ name }) => name.startsWith("derived/onchain"))?.hex ?? ""));
const refused = (code: string) => expect.objectContaining({ code });

describe("rule F (vtxo.md §3.3)", () => {
  it("a VTXO away from its anchor needs items, the anchor itself has none", () => {
    expect(() => encodeVtxo({ ...leaf, genesis: [] })).toThrow(refused("MISSING_GENESIS"));
    expect(() => encodeVtxo({ ...onChain, genesis: leaf.genesis })).toThrow(refused("UNEXPECTED_GENESIS"));
  });

  it("holds for a bare form and a genesis section that were stored apart", () => {
    const none = Uint8Array.of(0);
    expect(() => decodeVtxoParts(encodeBareVtxo(leaf), none)).toThrow(refused("MISSING_GENESIS"));
    expect(decodeVtxoParts(encodeBareVtxo(onChain), none)).toEqual(onChain);
    expect(() => decodeVtxoParts(encodeBareVtxo(leaf), Uint8Array.of(0, 0))).toThrow(refused("TRAILING_BYTES"));
  });
});

describe("encoding version 1", () => {
  // The layout of version 2 without the 8 bytes of the fee, of which these items have none.
  const itemBytes = encodeVtxo(leaf).length - encodeBareVtxo(leaf).length;
  const v2 = encodeVtxo(leaf);

  it("has no fee field and re-encodes as version 2 under the same id", () => {
    const v1 = withoutFees(leaf);
    expect(v1.length).toBe(v2.length - 8 * leaf.genesis.length);
    expect(decodeVtxo(v1)).toEqual(leaf);
    expect(encodeHex(encodeVtxo(decodeVtxo(v1)))).toBe(encodeHex(v2));
  });

  it("found in the bare bytes decides how the genesis section is read", () => {
    const v1 = withoutFees(leaf);
    const bare = encodeBareVtxo(leaf);
    bare[0] = 1;
    const section = v1.slice(85, 85 + 1 + itemBytes - 8 * leaf.genesis.length);
    expect(decodeVtxoParts(bare, section)).toEqual(leaf);
    expect(() => decodeVtxoParts(encodeBareVtxo(leaf), section)).toThrow();
  });

  /** Cuts the fee of each item: it stands at the item's end, which is found from the item's own length. */
  function withoutFees(vtxo: Vtxo): Uint8Array {
    const parts = [encodeVtxo(vtxo).slice(0, 86)];
    for (const item of vtxo.genesis) {
      const alone = encodeVtxo({ ...vtxo, genesis: [item] }).slice(86);
      const tail = encodeBareVtxo(vtxo).length - 86;
      parts.push(alone.slice(0, alone.length - tail - 8));
    }
    parts.push(encodeBareVtxo(vtxo).slice(86));
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    bytes[0] = 1;
    return bytes;
  }
});

describe("server policies", () => {
  const checkpoint: Vtxo = { ...onChain, policy: { kind: "checkpoint", userPubkey: publicKeyOf(scalarToBytes(9n)) } };

  it("only a server decodes them", () => {
    expect(decodeServerVtxo(encodeVtxo(checkpoint))).toEqual(checkpoint);
    expect(() => decodeVtxo(encodeVtxo(checkpoint))).toThrow(refused("BAD_POLICY_TYPE"));
    expect(() => decodeBareVtxo(encodeVtxo(checkpoint))).toThrow(refused("BAD_POLICY_TYPE"));
  });

  it("their type is refused before their payload is read", () => {
    const policyBytes = encodePolicy(checkpoint.policy).length;
    const cut = encodeVtxo(checkpoint).slice(0, -36 - policyBytes + 1);
    expect(() => decodeVtxo(cut)).toThrow(refused("BAD_POLICY_TYPE"));
    expect(() => decodeServerVtxo(cut)).toThrow(refused("SHORT_INPUT"));
  });
});

describe("limits of an encoder", () => {
  const [item] = leaf.genesis;
  if (item === undefined) throw new Error("expected an item");
  const sibling = { amountSats: 1n, script: new Uint8Array(0) };
  const withItem = (change: Partial<typeof item>): Vtxo => ({ ...leaf, genesis: [{ ...item, ...change }] });

  it("at most 254 siblings: their count and one more fit a byte", () => {
    const most = withItem({ siblings: Array.from({ length: 254 }, () => sibling) });
    expect(decodeVtxo(encodeVtxo(most))).toEqual(most);
    expect(() => encodeVtxo(withItem({ siblings: Array.from({ length: 255 }, () => sibling) }))).toThrow(
      refused("TOO_MANY_OUTPUTS"),
    );
  });

  it("scripts of at most 100 bytes", () => {
    const longest = withItem({ siblings: [{ ...sibling, script: new Uint8Array(100) }], outputIndex: 0 });
    expect(decodeVtxo(encodeVtxo(longest))).toEqual(longest);
    expect(() => encodeVtxo(withItem({ siblings: [{ ...sibling, script: new Uint8Array(101) }], outputIndex: 0 }))).toThrow(
      refused("OVERSIZED_SCRIPT"),
    );
  });

  it("an output index among the outputs", () => {
    expect(() => encodeVtxo(withItem({ siblings: [], outputIndex: 1 }))).toThrow(refused("OUTPUT_INDEX_RANGE"));
  });

  it("at most 19,230 items", () => {
    const items = Array.from({ length: MAX_GENESIS_ITEMS + 1 }, () => item);
    expect(() => encodeVtxo({ ...leaf, genesis: items })).toThrow(refused("OVERSIZED_LIST"));
  });

  it("the whole header within its ranges", () => {
    expect(() => encodeVtxo({ ...leaf, expiryHeight: 499_934_468 })).toThrow(refused("BAD_HEIGHT"));
    expect(() => encodeVtxo({ ...leaf, exitDelta: 16_384 })).toThrow(refused("BAD_DELTA"));
    expect(() => encodeVtxo({ ...leaf, serverPubkey: new Uint8Array(33) })).toThrow(refused("BAD_PUBKEY"));
    expect(() => encodeVtxo({ ...leaf, amountSats: -1n })).toThrow(refused("OUT_OF_RANGE"));
    expect(() => encodeVtxo({ ...leaf, amountSats: 1n << 64n })).toThrow(refused("OUT_OF_RANGE"));
  });
});

it("decoded byte strings are copies: the transport may reuse its buffer", () => {
  const bytes = encodeVtxo(leaf);
  const vtxo = decodeVtxo(bytes);
  bytes.fill(0);
  expect(encodeVtxo(vtxo)).toEqual(encodeVtxo(leaf));
});
