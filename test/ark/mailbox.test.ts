import { describe, expect, it } from "vitest";
import { negatePoint, publicKeyOf, scalarToBytes } from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { blindMailboxId, decodeMailboxId, mailboxIdOf, unblindMailboxId } from "../../ark/mailbox.ts";
import { arkoorVectors } from "./arkoor-vectors.ts";

const { blinding } = arkoorVectors;

describe("blinding a mailbox id", () => {
  it("gives the known blinded id (arkoor.md §14.4)", () => {
    const blinded = blindMailboxId(
      decodeHex(blinding.mailboxId),
      decodeHex(blinding.serverMailboxPubkey),
      decodeHex(blinding.vtxoSecret),
    );
    expect(encodeHex(blinded)).toBe(blinding.blindedId);
  });

  const mailboxId = mailboxIdOf(scalarToBytes(BigInt(blinding.toy.mailboxSecret)));
  const serverSecret = scalarToBytes(BigInt(blinding.toy.serverMailboxSecret));
  const vtxoSecret = scalarToBytes(BigInt(blinding.toy.vtxoSecret));

  it("adds the shared point raw, and the server takes it off again", () => {
    const blinded = blindMailboxId(mailboxId, publicKeyOf(serverSecret), vtxoSecret);
    expect(encodeHex(blinded)).toBe(blinding.toy.blindedId);
    expect(unblindMailboxId(blinded, serverSecret, publicKeyOf(vtxoSecret))).toEqual(mailboxId);
  });

  it("leads elsewhere for a VTXO key of the other parity", () => {
    const blinded = blindMailboxId(mailboxId, publicKeyOf(serverSecret), vtxoSecret);
    expect(unblindMailboxId(blinded, serverSecret, negatePoint(publicKeyOf(vtxoSecret)))).not.toEqual(mailboxId);
  });

  it("refuses a result at infinity", () => {
    const shared = publicKeyOf(scalarToBytes(6n));
    expect(() => unblindMailboxId(shared, serverSecret, publicKeyOf(vtxoSecret))).toThrow(
      expect.objectContaining({ code: "BAD_MAILBOX_ID" }),
    );
  });

  it.each([32, 34])("refuses an id of %i bytes", (length) => {
    expect(() => decodeMailboxId(new Uint8Array(length).fill(2))).toThrow(expect.objectContaining({ code: "BAD_MAILBOX_ID" }));
  });

  it("refuses an id off the curve", () => {
    expect(() => unblindMailboxId(new Uint8Array(33).fill(5), serverSecret, publicKeyOf(vtxoSecret))).toThrow(
      expect.objectContaining({ code: "BAD_MAILBOX_ID" }),
    );
  });
});
