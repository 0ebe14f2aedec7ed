import { describe, expect, it } from "vitest";
import { buildAddress, decodeAddressPayload, encodeAddress, encodeAddressPayload, parseAddress } from "../../../ark/address.ts";
import { decodeHex, encodeHex } from "../../../ark/hex.ts";
import { type AddressVector, errorCode, type KnownAnswers } from "../../vectors.ts";
import { policyFields } from "./policy.ts";

/** Claims about `addresses` and the rejected addresses of the known answers. */
export function describeAddresses(answers: KnownAnswers): void {
  describe("known addresses", () => {
    it.each(answers.addresses)("$name: parses and gives its canonical text", ({ text, decoded, payload_hex, canonical_text }) => {
      const address = parseAddress(text);
      const { type_byte, ...policy } = decoded.policy;
      expect(address.network).toBe(decoded.testnet ? "testnet" : "mainnet");
      expect(address.arkId).toBe(decoded.ark_id);
      expect(policyFields(address.policy)).toEqual(policy);
      expect(deliveryFields(address.delivery)).toEqual(decoded.delivery);
      expect(encodeHex(encodeAddressPayload(address))).toBe(payload_hex);
      expect(encodeAddress(address)).toBe(canonical_text);
      expect(parseAddress(canonical_text)).toEqual(address);
    });

    const built = answers.addresses.filter(({ built_from }) => built_from?.vtxo_secret_key !== undefined);
    it.each(built)("$name: is built from its keys", ({ built_from, decoded, canonical_text }) => {
      const part = (name: string): Uint8Array => decodeHex(String(built_from?.[name]));
      const address = buildAddress({
        serverPubkey: part("server_pubkey"),
        mailboxPubkey: part("server_mailbox_pubkey"),
        vtxoSecretKey: part("vtxo_secret_key"),
        mailboxId: part("mailbox_id"),
        mainnet: !decoded.testnet,
      });
      expect(encodeAddress(address)).toBe(canonical_text);
    });

    const refused = answers.rejections.filter(({ input }) => input === "address-text" || input === "address-payload");
    it.each(refused)("$name is refused: $error", ({ input, text, hex, error }) => {
      const read = (): unknown =>
        input === "address-text" ? parseAddress(text ?? "") : decodeAddressPayload(decodeHex(hex ?? ""));
      expect(read).toThrow(expect.objectContaining({ code: addressErrorCode(error) }));
    });
  });
}

/** Errors of this chapter have a prefix of their own, except for a short input. */
function addressErrorCode(name: string): string {
  return name === "short-input" ? errorCode(name) : `ADDRESS_${errorCode(name)}`;
}

function deliveryFields(delivery: ReturnType<typeof parseAddress>["delivery"]): AddressVector["decoded"]["delivery"] {
  return delivery.map((entry) =>
    entry.kind === "server-mailbox"
      ? { type_byte: 1, kind: entry.kind, blinded_id: encodeHex(entry.blindedId) }
      : { type_byte: entry.type, kind: entry.kind, data_hex: encodeHex(entry.data) },
  );
}
