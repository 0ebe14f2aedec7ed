import { afterEach, describe, expect, it } from "vitest";
import {
  addBaseMultiple,
  addPoints,
  bytesToScalar,
  combinePoints,
  GROUP_ORDER,
  isValidPublicKey,
  isValidSecretKey,
  liftX,
  memoiseVerifier,
  multiplyPoint,
  negatePoint,
  publicKeyOf,
  type SignatureVerifier,
  scalarToBytes,
  setSignatureVerifier,
  signSchnorr,
  taggedHash,
  verifySchnorr,
  xOnly,
} from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";

const secretKey = scalarToBytes(3n);
const publicKey = publicKeyOf(secretKey);
const message = new Uint8Array(32);
const auxRand = new Uint8Array(32);

describe("points", () => {
  it("a sum at infinity is null, not an error", () => {
    expect(addPoints(publicKey, negatePoint(publicKey))).toBeNull();
    expect(addBaseMultiple(publicKey, GROUP_ORDER - 3n)).toBeNull();
    expect(combinePoints([{ scalar: 0n, point: publicKey }])).toBeNull();
  });

  it("sums, multiples and tweaks agree with each other", () => {
    const six = publicKeyOf(scalarToBytes(6n));
    expect(addPoints(publicKey, publicKey)).toEqual(six);
    expect(addBaseMultiple(publicKey, 3n)).toEqual(six);
    expect(multiplyPoint(publicKey, scalarToBytes(2n))).toEqual(six);
    expect(
      combinePoints([
        { scalar: 1n, point: publicKey },
        { scalar: 1n, point: publicKey },
      ]),
    ).toEqual(six);
  });

  it("an x coordinate is lifted to the even point, one off the curve is BAD_PUBKEY", () => {
    expect(liftX(xOnly(publicKey))[0]).toBe(2);
    expect(() => liftX(new Uint8Array(32))).toThrow(expect.objectContaining({ code: "BAD_PUBKEY" }));
  });

  it.each([
    ["uncompressed prefix", `04${"11".repeat(32)}`],
    ["x = p", "02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"],
    ["x off the curve", `02${"00".repeat(31)}05`],
    ["infinity", "00"],
    ["too long", `02${"11".repeat(33)}`],
  ])("%s is no public key", (_, hex) => {
    expect(isValidPublicKey(decodeHex(hex))).toBe(false);
  });

  it("zero and the group order are no secret keys", () => {
    expect(isValidSecretKey(scalarToBytes(0n))).toBe(false);
    expect(isValidSecretKey(scalarToBytes(GROUP_ORDER))).toBe(false);
    expect(isValidSecretKey(scalarToBytes(GROUP_ORDER - 1n))).toBe(true);
    expect(() => publicKeyOf(scalarToBytes(0n))).toThrow(expect.objectContaining({ code: "BAD_SECRET_KEY" }));
  });
});

it("a scalar survives its bytes", () => {
  expect(bytesToScalar(scalarToBytes(GROUP_ORDER - 2n))).toBe(GROUP_ORDER - 2n);
  expect(encodeHex(scalarToBytes(258n))).toBe(`${"00".repeat(30)}0102`);
});

it("the tag of a tagged hash counts", () => {
  // BIP-340: SHA-256 of twice the SHA-256 of the tag, followed by the message.
  expect(taggedHash("TapLeaf", message)).not.toEqual(taggedHash("TapBranch", message));
});

describe("Schnorr signatures", () => {
  const signature = signSchnorr(message, secretKey, auxRand);
  const key = xOnly(publicKey);
  let former: SignatureVerifier | undefined;

  afterEach(() => {
    if (former !== undefined) setSignatureVerifier(former);
    former = undefined;
  });

  it("index 0 of the BIP-340 test vectors", () => {
    expect(encodeHex(signature)).toBe(
      "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
    );
    expect(verifySchnorr(signature, message, key)).toBe(true);
  });

  it.each([
    ["r out of range", decodeHex("ff".repeat(32)), 0],
    ["s out of range", decodeHex("ff".repeat(32)), 32],
    ["zero s", new Uint8Array(32), 32],
  ])("%s answers false instead of throwing", (_, bytes, offset) => {
    const bad = signature.slice();
    bad.set(bytes, offset);
    expect(verifySchnorr(bad, message, key)).toBe(false);
  });

  it("wrong lengths and keys off the curve answer false instead of throwing", () => {
    expect(verifySchnorr(signature.slice(1), message, key)).toBe(false);
    expect(verifySchnorr(signature, message, publicKey)).toBe(false);
    expect(verifySchnorr(signature, message, new Uint8Array(32))).toBe(false);
    expect(verifySchnorr(signature, message, decodeHex("ff".repeat(32)))).toBe(false);
  });

  it("the verifier can be swapped and the former one put back", () => {
    former = setSignatureVerifier({ verifySchnorr: () => true });
    expect(verifySchnorr(new Uint8Array(64), message, key)).toBe(true);
    setSignatureVerifier(former);
    expect(verifySchnorr(new Uint8Array(64), message, key)).toBe(false);
  });

  it("a memoised verifier is asked once for equal inputs and forgets the least recently used", () => {
    const asked: number[] = [];
    const inner: SignatureVerifier = {
      verifySchnorr(_signature, bytes) {
        asked.push(bytes[0] ?? -1);
        return true;
      },
    };
    const verifier = memoiseVerifier(inner, 2);
    for (const first of [1, 2, 1, 3, 1, 2]) verifier.verifySchnorr(signature, Uint8Array.of(first), key);
    expect(asked).toEqual([1, 2, 3, 2]);
  });
});
