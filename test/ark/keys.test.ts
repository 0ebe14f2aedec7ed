import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { publicKeyOf } from "../../ark/crypto.ts";
import { ArkError } from "../../ark/errors.ts";
import { encodeHex } from "../../ark/hex.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeKeys } from "./suites/keys.ts";

const MNEMONIC = `${"abandon ".repeat(11)}about`;
const keys = WalletKeys.fromMnemonic(MNEMONIC);

describeKeys(loadKnownAnswers());

describe("a mnemonic", () => {
  it("may have any white space between and around its words", () => {
    const spaced = `\n  ${MNEMONIC.replaceAll(" ", " \t\n ")}  `;
    expect(WalletKeys.fromMnemonic(spaced).fingerprint).toBe(keys.fingerprint);
  });

  it.each([
    ["no words", ""],
    ["eleven words", "abandon ".repeat(11)],
    ["a wrong checksum", "abandon ".repeat(12)],
    ["a word outside the list", `${"abandon ".repeat(11)}secretword`],
    ["a word in capitals", `${"abandon ".repeat(11)}ABOUT`],
  ])("of %s is refused, and no word of it is repeated", (_, mnemonic) => {
    const error = thrownBy(() => WalletKeys.fromMnemonic(mnemonic));
    expect(error.code).toBe("BAD_MNEMONIC");
    expect(inspect(error)).not.toMatch(/abandon|secretword|about/i);
  });
});

describe("wallet keys", () => {
  it.each([0, 16, 63, 65])("refuse a seed of %i bytes", (length) => {
    expect(thrownBy(() => WalletKeys.fromSeed(new Uint8Array(length))).code).toBe("BAD_SEED");
  });

  it.each([-1, 0.5, 2 ** 31, Number.NaN])("have no index %d", (index) => {
    expect(thrownBy(() => keys.vtxoPublicKey(index)).code).toBe("OUT_OF_RANGE");
    expect(thrownBy(() => keys.vtxoSecretKey(index)).code).toBe("OUT_OF_RANGE");
  });

  it("have the same key pair at the largest index", () => {
    const index = 2 ** 31 - 1;
    expect(publicKeyOf(keys.vtxoSecretKey(index))).toEqual(keys.vtxoPublicKey(index));
  });

  it("show no secret when inspected, serialised or cloned", () => {
    const secrets = [0, 1].map((index) => encodeHex(keys.vtxoSecretKey(index)));
    secrets.push(encodeHex(keys.mailboxSecretKey()), encodeHex(keys.recoveryMailboxSecretKey()));
    const shown = [
      inspect(keys, { showHidden: true, getters: true, depth: 9 }),
      JSON.stringify(keys),
      inspect(structuredClone(keys)),
    ];
    expect(shown[1]).toBe(`{"fingerprint":"${keys.fingerprint}"}`);
    for (const text of shown) {
      expect(text).toContain(keys.fingerprint);
      expect(text).not.toMatch(/xprv|private|secret/i);
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  it("hand out copies, so that overwriting one changes nothing", () => {
    const before = encodeHex(keys.mailboxSecretKey());
    keys.mailboxSecretKey().fill(0);
    keys.mailboxId.fill(0);
    keys.vtxoPublicKey(5).fill(0);
    expect(encodeHex(keys.mailboxSecretKey())).toBe(before);
    expect(publicKeyOf(keys.vtxoSecretKey(5))).toEqual(keys.vtxoPublicKey(5));
  });

  it("leave the caller's seed as it was", () => {
    const seed = new Uint8Array(64).fill(9);
    WalletKeys.fromSeed(seed);
    expect(seed).toEqual(new Uint8Array(64).fill(9));
  });

  it("make one preimage of each salt, and another of every other", () => {
    const salts = [0, 1, 2].map((n) => new Uint8Array(16).fill(n));
    const preimages = salts.map((salt) => encodeHex(keys.receivePreimage(salt)));
    expect(new Set(preimages).size).toBe(3);
    expect(salts.map((salt) => encodeHex(WalletKeys.fromMnemonic(MNEMONIC).receivePreimage(salt)))).toEqual(preimages);
    // A log that names this salt needs this preimage for ever.
    expect(preimages[0]).toBe("df536a2336f0e3f0aefcf958d0cacd081f9089c02d1a2ef7ef6757ff56bebfe1");
    expect(thrownBy(() => keys.receivePreimage(new Uint8Array(15))).code).toBe("OUT_OF_RANGE");
  });

  it("give no secret any more once wiped, but still public keys", () => {
    const wiped = WalletKeys.fromMnemonic(MNEMONIC);
    wiped.wipe();
    for (const read of [
      () => wiped.vtxoSecretKey(0),
      () => wiped.mailboxSecretKey(),
      () => wiped.recoveryMailboxSecretKey(),
      () => wiped.receivePreimage(new Uint8Array(16)),
    ]) {
      expect(thrownBy(read).code).toBe("KEYS_WIPED");
    }
    expect(wiped.vtxoPublicKey(0)).toEqual(keys.vtxoPublicKey(0));
    expect(wiped.mailboxId).toEqual(keys.mailboxId);
  });
});

describe("the search for a key", () => {
  const wanted = keys.vtxoPublicKey(40);

  it("finds it inside its range only", () => {
    const fresh = WalletKeys.fromMnemonic(MNEMONIC);
    expect(fresh.findVtxoKey(wanted, { from: 0, to: 40 })).toBeUndefined();
    expect(fresh.findVtxoKey(wanted, { from: 40, to: 41 })).toBe(40);
    expect(fresh.findVtxoKey(wanted, { from: 0, to: 40 })).toBeUndefined();
    expect(fresh.findVtxoKey(wanted, { from: 41, to: 60 })).toBeUndefined();
  });

  it("compares all 33 bytes: the other parity is another key", () => {
    const other = wanted.slice();
    other[0] = 5 - (wanted[0] ?? 0);
    expect(keys.findVtxoKey(other, { from: 0, to: 60 })).toBeUndefined();
  });

  it("knows what was derived, and derives nothing to find it", () => {
    const fresh = WalletKeys.fromMnemonic(MNEMONIC);
    expect(fresh.derivedVtxoKey(wanted)).toBeUndefined();
    fresh.vtxoPublicKey(40);
    expect(fresh.derivedVtxoKey(wanted)).toBe(40);
  });
});

function thrownBy(run: () => unknown): ArkError {
  try {
    run();
  } catch (error) {
    if (error instanceof ArkError) return error;
    throw error;
  }
  throw new Error("expected an ArkError, got none");
}
