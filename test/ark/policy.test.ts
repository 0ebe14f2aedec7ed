import { describe, expect, it } from "vitest";
import { ByteReader, compareBytes } from "../../ark/bytes.ts";
import { bytesToScalar, combinePoints, GROUP_ORDER, publicKeyOf, scalarToBytes, taggedHash } from "../../ark/crypto.ts";
import { encodeHex } from "../../ark/hex.ts";
import { aggregateKeys } from "../../ark/key-aggregation.ts";
import { MAX_DELTA, MAX_HEIGHT } from "../../ark/limits.ts";
import { decodePolicy, encodePolicy, type Policy } from "../../ark/policy.ts";
import { numberPush } from "../../ark/scripts.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describePolicies } from "./suites/policy.ts";

const userPubkey = publicKeyOf(scalarToBytes(5n));
const hash = new Uint8Array(32).fill(7);

describePolicies(loadKnownAnswers());

describe("policy encoding", () => {
  const receive: Policy = {
    kind: "server-htlc-receive-v1",
    userPubkey,
    paymentHash: hash,
    htlcExpiryHeight: MAX_HEIGHT,
    htlcExpiryDelta: MAX_DELTA,
  };

  it("accepts the largest height and delta and refuses the next", () => {
    expect(decodePolicy(new ByteReader(encodePolicy(receive)))).toEqual(receive);
    expect(() => encodePolicy({ ...receive, htlcExpiryHeight: MAX_HEIGHT + 1 })).toThrow(
      expect.objectContaining({ code: "BAD_HEIGHT" }),
    );
    expect(() => encodePolicy({ ...receive, htlcExpiryDelta: MAX_DELTA + 1 })).toThrow(
      expect.objectContaining({ code: "BAD_DELTA" }),
    );
  });

  it("refuses what it could not decode again", () => {
    expect(() => encodePolicy({ ...receive, userPubkey: hash })).toThrow(expect.objectContaining({ code: "BAD_PUBKEY" }));
    expect(() => encodePolicy({ ...receive, paymentHash: userPubkey })).toThrow(
      expect.objectContaining({ code: "OUT_OF_RANGE" }),
    );
    expect(() => encodePolicy({ kind: "expiry", internalKey: new Uint8Array(32) })).toThrow(
      expect.objectContaining({ code: "BAD_PUBKEY" }),
    );
  });

  it.each([0x0c, 0x80, 0xff])("type %i is unknown", (type) => {
    expect(() => decodePolicy(new ByteReader(Uint8Array.of(type)))).toThrow(expect.objectContaining({ code: "BAD_POLICY_TYPE" }));
  });
});

it("an empty key list has no aggregate", () => {
  expect(() => aggregateKeys([])).toThrow(expect.objectContaining({ code: "EMPTY_COSIGNERS" }));
});

it("every copy of the second distinct key has coefficient 1 (vtxo.md §4.2 step 4)", () => {
  const [first, second] = [userPubkey, publicKeyOf(scalarToBytes(6n))].toSorted(compareBytes);
  if (first === undefined || second === undefined) throw new Error("expected two keys");
  const list = taggedHash("KeyAgg list", first, second, second);
  const coefficient = bytesToScalar(taggedHash("KeyAgg coefficient", list, first)) % GROUP_ORDER;
  const sum = combinePoints([
    { scalar: coefficient, point: first },
    { scalar: 2n, point: second },
  ]);
  expect(aggregateKeys([second.slice(), first, second])).toEqual(sum);
});

it("keys of the same x and other parity have another aggregate", () => {
  const other = userPubkey.slice();
  other[0] = 5 - (userPubkey[0] ?? 0);
  const server = publicKeyOf(scalarToBytes(6n));
  expect(aggregateKeys([userPubkey, server])).not.toEqual(aggregateKeys([other, server]));
});

it("number pushes of vtxo.md §4.3", () => {
  const examples: [number, string][] = [
    [0, "00"],
    [1, "51"],
    [16, "60"],
    [17, "0111"],
    [127, "017f"],
    [128, "028000"],
    [144, "029000"],
    [255, "02ff00"],
    [256, "020001"],
    [2016, "02e007"],
    [16383, "02ff3f"],
    [32766, "02fe7f"],
    [101010, "03928a01"],
    [8388608, "0400008000"],
  ];
  expect(examples.map(([value]) => encodeHex(numberPush(value)))).toEqual(examples.map(([, push]) => push));
});
