import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { GROUP_ORDER, publicKeyOf, scalarToBytes, sha256, taggedHash, verifySchnorr, xOnly } from "../../ark/crypto.ts";
import { signJointly } from "../../ark/joint-signing.ts";
import { aggregateKeys } from "../../ark/key-aggregation.ts";
import { decodePartialSignature, decodePublicNonce, MusigSession, SecretNonce } from "../../ark/musig.ts";
import { taprootOutput } from "../../ark/taproot.ts";
import { alice, bob, type KeyPair, randomBytes } from "./payments.ts";

const message = sha256(Uint8Array.of(1));
const output = taprootOutput(xOnly(aggregateKeys([alice.publicKey, bob.publicKey])), [Uint8Array.of(0x51)]);

describe("a session", () => {
  it.each([
    ["alice first", [alice, bob]],
    ["bob first", [bob, alice]],
  ])("makes a signature of the tweaked output, whatever the order: %s", (_, signers) => {
    const { session, nonces } = open(signers);
    const partials = signers.map((signer, i) => session.sign(at(nonces, i), signer.secretKey));
    expect(partials.map((partial, i) => session.verifyPartial(i, partial))).toEqual([true, true]);
    expect(verifySchnorr(session.aggregate(partials), message, xOnly(output.outputKey))).toBe(true);
  });

  it("signs for one key that stands for both signers", () => {
    const twice = taprootOutput(xOnly(aggregateKeys([alice.publicKey, alice.publicKey])), []);
    const { session, nonces } = open([alice, alice], twice.tapTweak);
    const partials = nonces.map((nonce) => session.sign(nonce, alice.secretKey));
    expect(verifySchnorr(session.aggregate(partials), message, xOnly(twice.outputKey))).toBe(true);
  });

  it("tells a partial signature of the other signer, another message or another nonce from the right one", () => {
    const { session, nonces } = open([alice, bob]);
    const own = session.sign(at(nonces, 0), alice.secretKey);
    expect(session.verifyPartial(1, own)).toBe(false);
    expect(session.verifyPartial(0, new Uint8Array(32))).toBe(false);
    expect(session.verifyPartial(0, new Uint8Array(31))).toBe(false);
    expect(open([alice, bob]).session.verifyPartial(0, own)).toBe(false);
  });

  it("refuses a key that is none of its signers', and the nonce is gone all the same", () => {
    const { session, nonces } = open([alice, bob]);
    expect(() => session.sign(at(nonces, 0), scalarToBytes(99n))).toThrow(refused("ARKOOR_INCORRECT_KEY"));
    expect(at(nonces, 0).spent).toBe(true);
  });

  it.each([0, 1, 3])("aggregates no %i partial signatures of two signers", (count) => {
    const { session } = open([alice, bob]);
    expect(() => session.aggregate(Array.from({ length: count }, () => new Uint8Array(32)))).toThrow(
      refused("ARKOOR_BAD_PARTIAL_SIGNATURE"),
    );
  });

  it("refuses a tweak that is no scalar", () => {
    expect(() => open([alice, bob], scalarToBytes(GROUP_ORDER))).toThrow(refused("BAD_TWEAK"));
  });
});

describe("a secret nonce", () => {
  it("signs once and is refused the second time", () => {
    const { session, nonces } = open([alice, bob]);
    session.sign(at(nonces, 0), alice.secretKey);
    expect(() => session.sign(at(nonces, 0), alice.secretKey)).toThrow(refused("ARKOOR_NONCE_REUSED"));
    expect(() => open([alice, bob]).session.sign(at(nonces, 0), alice.secretKey)).toThrow(refused("ARKOOR_NONCE_REUSED"));
  });

  it("is refused once wiped", () => {
    const { session, nonces } = open([alice, bob]);
    at(nonces, 0).wipe();
    expect(() => session.sign(at(nonces, 0), alice.secretKey)).toThrow(refused("ARKOOR_NONCE_REUSED"));
  });

  it("is overwritten after use", () => {
    const nonce = generate(alice);
    let secret: Uint8Array | undefined;
    nonce.consume((bytes) => {
      secret = bytes;
      expect(bytes.some((byte) => byte !== 0)).toBe(true);
    });
    expect(secret?.every((byte) => byte === 0)).toBe(true);
  });

  it("shows its public half only", () => {
    const nonce = generate(alice);
    expect(Object.keys(nonce)).toEqual(["publicNonce"]);
    expect(inspect(nonce, { showHidden: true, depth: 9 }).replace("SecretNonce", "")).not.toMatch(/secret/i);
  });

  it("depends on the randomness, the key and the message", () => {
    const random = randomBytes(32);
    const base = SecretNonce.generate({ secretKey: alice.secretKey, message, random }).publicNonce;
    expect(SecretNonce.generate({ secretKey: alice.secretKey, message, random }).publicNonce).toEqual(base);
    expect(SecretNonce.generate({ secretKey: bob.secretKey, message, random }).publicNonce).not.toEqual(base);
    expect(SecretNonce.generate({ secretKey: alice.secretKey, message: random, random }).publicNonce).not.toEqual(base);
    expect(SecretNonce.generate({ secretKey: alice.secretKey, message, random: message }).publicNonce).not.toEqual(base);
  });
});

describe("a peer's", () => {
  const nonce = generate(bob).publicNonce;

  it.each([
    ["of 65 bytes", nonce.slice(1)],
    ["of 67 bytes", Uint8Array.of(...nonce, 0)],
    ["with a first half off the curve", Uint8Array.of(5, ...nonce.slice(1))],
    ["with a second half at infinity", Uint8Array.of(...nonce.slice(0, 33), ...new Uint8Array(33))],
  ])("nonce %s is refused", (_, bytes) => {
    expect(() => decodePublicNonce(bytes)).toThrow(refused("ARKOOR_BAD_NONCE"));
  });

  it.each([
    ["of 31 bytes", new Uint8Array(31)],
    ["of 33 bytes", new Uint8Array(33)],
    ["equal to the group order", scalarToBytes(GROUP_ORDER)],
  ])("partial signature %s is refused", (_, bytes) => {
    expect(() => decodePartialSignature(bytes)).toThrow(refused("ARKOOR_BAD_PARTIAL_SIGNATURE"));
  });

  it("partial signature just below the group order is read", () => {
    expect(decodePartialSignature(scalarToBytes(GROUP_ORDER - 1n))).toEqual(scalarToBytes(GROUP_ORDER - 1n));
  });
});

describe("signing with all keys at once", () => {
  it.each([[[3, 4]], [[5, 6, 7]], [[8, 8]], [[9]]])("makes a valid signature for the secrets %j", (secrets) => {
    const secretKeys = secrets.map((secret) => scalarToBytes(BigInt(secret)));
    for (let i = 0; i < 4; i++) {
      const tree = taprootOutput(xOnly(aggregateKeys(secretKeys.map(publicKeyOf))), [Uint8Array.of(0x51, i)]);
      const signature = signJointly(secretKeys, {
        message,
        tapTweak: tree.tapTweak,
        auxRand: taggedHash("test", Uint8Array.of(i)),
      });
      expect(verifySchnorr(signature, message, xOnly(tree.outputKey))).toBe(true);
    }
  });
});

function open(signers: readonly KeyPair[], tapTweak = output.tapTweak): { session: MusigSession; nonces: SecretNonce[] } {
  const nonces = signers.map(generate);
  const cosigners = signers.map(({ publicKey }, i) => ({ publicKey, publicNonce: at(nonces, i).publicNonce }));
  return { session: new MusigSession({ cosigners, message, tapTweak }), nonces };
}

function generate(signer: KeyPair): SecretNonce {
  return SecretNonce.generate({ secretKey: signer.secretKey, message, random: randomBytes(32) });
}

function at<Element>(list: readonly Element[], index: number): Element {
  const element = list[index];
  if (element === undefined) throw new Error(`expected an element ${index}`);
  return element;
}

function refused(code: string): unknown {
  return expect.objectContaining({ code });
}
