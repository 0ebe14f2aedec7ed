import { describe, expect, it } from "vitest";
import {
  type Authorization,
  createAuthorization,
  decodeAuthorization,
  encodeAuthorization,
  verifyAuthorization,
} from "../../ark/authorization.ts";
import { publicKeyOf, scalarToBytes } from "../../ark/crypto.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeAuthorizations } from "./suites/authorization.ts";

const secretKey = scalarToBytes(77n);
const mailboxId = publicKeyOf(secretKey);
const auxRand = new Uint8Array(32).fill(1);
const expiresAt = 1_700_000_000n;
const nowMs = Number(expiresAt) * 1000;
const authorization = createAuthorization({ secretKey, expiresAt, auxRand });

describeAuthorizations(loadKnownAnswers());

describe("a mailbox authorization", () => {
  it("verifies for the mailbox of its key", () => {
    expect(authorization.mailboxId).toEqual(mailboxId);
    expect(() =>
      verifyAuthorization(decodeAuthorization(encodeAuthorization(authorization)), { mailboxId, nowMs }),
    ).not.toThrow();
  });

  it.each([
    ["exactly five seconds after its expiry", 5_000, null],
    ["a fraction of a second later", 5_001, "AUTHORIZATION_EXPIRED"],
    ["before its expiry", -1, null],
  ])("%s", (_, laterMs, code) => {
    expect(codeOf(authorization, nowMs + laterMs)).toBe(code);
  });

  it("is tested for its mailbox first, then its expiry, then its signature", () => {
    const forged = { ...authorization, signature: new Uint8Array(64) };
    const later = nowMs + 60_000;
    expect(codeOf(forged, later, publicKeyOf(scalarToBytes(78n)))).toBe("AUTHORIZATION_MAILBOX_MISMATCH");
    expect(codeOf(forged, later)).toBe("AUTHORIZATION_EXPIRED");
    expect(codeOf(forged, nowMs)).toBe("AUTHORIZATION_SIGNATURE");
  });

  it.each([-8_334_601_228_800n, -1n, 0n, 8_210_266_876_799n])("of expiry %d can be written and read", (expiry) => {
    const made = createAuthorization({ secretKey, expiresAt: expiry, auxRand });
    expect(decodeAuthorization(encodeAuthorization(made))).toEqual(made);
  });

  it.each([-8_334_601_228_801n, 8_210_266_876_800n])("of expiry %d is refused", (expiry) => {
    expect(() => createAuthorization({ secretKey, expiresAt: expiry, auxRand })).toThrow(
      expect.objectContaining({ code: "BAD_TIMESTAMP" }),
    );
  });

  it("is 105 bytes, no fewer and no more", () => {
    const bytes = encodeAuthorization(authorization);
    expect(bytes).toHaveLength(105);
    expect(() => decodeAuthorization(bytes.slice(0, -1))).toThrow(expect.objectContaining({ code: "SHORT_INPUT" }));
    expect(() => decodeAuthorization(Uint8Array.of(...bytes, 0))).toThrow(expect.objectContaining({ code: "TRAILING_BYTES" }));
  });
});

function codeOf(candidate: Authorization, now: number, mailbox = mailboxId): string | null {
  try {
    verifyAuthorization(candidate, { mailboxId: mailbox, nowMs: now });
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
}
