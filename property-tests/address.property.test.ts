import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  type AddressNetwork,
  buildAddress,
  type Delivery,
  decodeAddressPayload,
  encodeAddress,
  encodeAddressPayload,
  parseAddress,
} from "../ark/address.ts";
import { type Authorization, decodeAuthorization, encodeAuthorization } from "../ark/authorization.ts";
import { bytesToSymbols, encodeBech32m, symbolsToBytes } from "../ark/bech32m.ts";
import { publicKeyOf, scalarToBytes } from "../ark/crypto.ts";
import { ArkError } from "../ark/errors.ts";
import { encodeHex } from "../ark/hex.ts";
import { blindMailboxId, unblindMailboxId } from "../ark/mailbox.ts";
import { bytes32, publicKey, userPolicy } from "./arbitraries/vtxo.ts";
import { propertyOptions } from "./options.ts";

const SYMBOLS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

const network: fc.Arbitrary<AddressNetwork> = fc.constantFrom("mainnet", "testnet");
const delivery: fc.Arbitrary<Delivery> = fc.oneof(
  fc.record({
    kind: fc.constant("server-mailbox"),
    blindedId: fc.oneof(publicKey, fc.uint8Array({ minLength: 33, maxLength: 33 })),
  }),
  fc.record({
    kind: fc.constant("unknown"),
    type: fc.integer({ min: 0, max: 255 }).filter((type) => type !== 1),
    data: fc.uint8Array({ maxLength: 60 }),
  }),
);
const address: fc.Arbitrary<Address> = fc.record({
  network,
  arkId: fc.uint8Array({ minLength: 4, maxLength: 4 }).map(encodeHex),
  policy: userPolicy,
  delivery: fc.array(delivery, { maxLength: 6 }),
});

describe("addresses", () => {
  it("survive text and payload, in either case", () => {
    fc.assert(
      fc.property(address, (value) => {
        const text = encodeAddress(value);
        expect(parseAddress(text)).toEqual(value);
        expect(parseAddress(text.toUpperCase())).toEqual(value);
        expect({ network: value.network, ...decodeAddressPayload(encodeAddressPayload(value)) }).toEqual(value);
      }),
      propertyOptions(200),
    );
  });

  it("do not survive the change of any one character", () => {
    fc.assert(
      fc.property(
        address,
        fc.nat(),
        fc.constantFrom(...SYMBOLS, "1", "b", "i", "o", "A", " ", "é"),
        (value, place, character) => {
          const text = encodeAddress(value);
          const at = place % text.length;
          fc.pre(text[at] !== character);
          expect(codeOf(() => parseAddress(text.slice(0, at) + character + text.slice(at + 1)))).toMatch(
            /^ADDRESS_(BECH32|PREFIX)$/,
          );
        },
      ),
      propertyOptions(500),
    );
  });

  it("are read from any payload bytes or refused with a code, and what is read means the same when written again", () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.tuple(address, fc.nat(), fc.nat({ max: 255 })).map(([value, place, byte]) => {
        const bytes = encodeAddressPayload(value);
        return bytes.with(place % bytes.length, byte);
      }),
    );
    fc.assert(
      fc.property(payload, (bytes) => {
        const text = encodeBech32m("ark", [1, ...bytesToSymbols(bytes)]);
        const code = codeOf(() => parseAddress(text));
        if (code === undefined) expect(parseAddress(encodeAddress(parseAddress(text)))).toEqual(parseAddress(text));
        else expect(code).toMatch(/^(ADDRESS_(MALFORMED|POLICY)|SHORT_INPUT)$/);
      }),
      propertyOptions(500),
    );
  });

  it("have symbols that hold all bytes, whatever their padding bits", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 15 }), (bytes, noise) => {
        const symbols = bytesToSymbols(bytes);
        const spare = symbols.length * 5 - bytes.length * 8;
        const noisy = symbols.map((symbol, i) => (i === symbols.length - 1 ? symbol | (noise & (2 ** spare - 1)) : symbol));
        expect(symbolsToBytes(symbols)).toEqual(bytes);
        expect(symbolsToBytes(noisy)).toEqual(bytes);
      }),
      propertyOptions(200),
    );
  });
});

describe("mailboxes", () => {
  const secret = fc.bigInt({ min: 1n, max: 1n << 250n }).map(scalarToBytes);

  it("are found again by the server from any address of their wallet", () => {
    fc.assert(
      fc.property(secret, secret, secret, (mailbox, server, vtxo) => {
        const mailboxId = publicKeyOf(mailbox);
        const mailboxPubkey = publicKeyOf(server);
        const built = buildAddress({ serverPubkey: mailboxPubkey, mailboxPubkey, vtxoSecretKey: vtxo, mailboxId, mainnet: true });
        const [entry] = parseAddress(encodeAddress(built)).delivery;
        const blinded = blindMailboxId(mailboxId, mailboxPubkey, vtxo);
        expect(entry).toEqual({ kind: "server-mailbox", blindedId: blinded });
        expect(unblindMailboxId(blinded, server, built.policy.userPubkey)).toEqual(mailboxId);
      }),
      propertyOptions(20),
    );
  });

  it("have authorizations that survive their 105 bytes", () => {
    const authorization: fc.Arbitrary<Authorization> = fc.record({
      mailboxId: publicKey,
      expiresAt: fc.bigInt({ min: -8_334_601_228_800n, max: 8_210_266_876_799n }),
      signature: fc.tuple(bytes32, bytes32).map(([r, s]) => Uint8Array.of(...r, ...s)),
    });
    fc.assert(
      fc.property(authorization, (value) => {
        expect(decodeAuthorization(encodeAuthorization(value))).toEqual(value);
      }),
      propertyOptions(100),
    );
  });
});

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof ArkError) return error.code;
    throw error;
  }
}
