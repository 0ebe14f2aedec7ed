import { describe, expect, it } from "vitest";
import { publicKeyOf } from "../../ark/crypto.ts";
import { allWitnessesPresent } from "../../ark/exit.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { decodeTransaction, transactionId } from "../../ark/transaction.ts";
import { validateVtxo } from "../../ark/validate.ts";
import { decodeVtxo, encodeVtxo, exitDepth, vtxoId } from "../../ark/vtxo.ts";
import { readVectors } from "../vectors.ts";

interface GeneratedSet {
  readonly anchors: readonly string[];
  readonly serverKey: string;
  readonly vtxos: readonly {
    readonly anchor: number;
    readonly name: string;
    readonly userSecret: string;
    readonly vtxo: string;
  }[];
}

const { sets, expiryHeight, exitDelta }: { sets: GeneratedSet[]; expiryHeight: number; exitDelta: number } = JSON.parse(
  readVectors("bark-generated.json"),
);

describe.each(sets)("VTXOs that the reference made for server $serverKey", ({ anchors, serverKey, vtxos }) => {
  it.each(vtxos)("$name is valid, complete, canonical and owned by its user", ({ anchor, userSecret, vtxo: hex }) => {
    const vtxo = decodeVtxo(decodeHex(hex));
    const transaction = decodeTransaction(decodeHex(anchors[anchor] ?? ""));
    expect(encodeHex(encodeVtxo(vtxo))).toBe(hex);
    expect(transactionId(transaction)).toBe(vtxo.chainAnchor.txid);
    validateVtxo(vtxo, transaction);
    expect(allWitnessesPresent(vtxo)).toBe(true);
    expect(encodeHex(vtxo.policy.userPubkey)).toBe(encodeHex(publicKeyOf(decodeHex(userSecret))));
    expect(encodeHex(vtxo.serverPubkey)).toBe(serverKey);
    expect([vtxo.expiryHeight, vtxo.exitDelta]).toEqual([expiryHeight, exitDelta]);
  });
});

it("they reach 13 transactions deep and no two have the same id", () => {
  const vtxos = sets.flatMap(({ vtxos }) => vtxos.map(({ vtxo }) => decodeVtxo(decodeHex(vtxo))));
  expect(Math.max(...vtxos.map(exitDepth))).toBe(13);
  expect(new Set(vtxos.map(vtxoId)).size).toBe(vtxos.length);
});
