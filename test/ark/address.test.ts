import { describe, expect, it } from "vitest";
import {
  type Address,
  buildAddress,
  checkAddressPayable,
  encodeAddress,
  encodeAddressPayload,
  parseAddress,
} from "../../ark/address.ts";
import { bytesToSymbols, encodeBech32m } from "../../ark/bech32m.ts";
import { publicKeyOf, scalarToBytes } from "../../ark/crypto.ts";
import { loadKnownAnswers } from "../vectors.ts";
import { describeAddresses } from "./suites/address.ts";

const serverPubkey = publicKeyOf(scalarToBytes(11n));
const address = buildAddress({
  serverPubkey,
  mailboxPubkey: publicKeyOf(scalarToBytes(12n)),
  vtxoSecretKey: scalarToBytes(13n),
  mailboxId: publicKeyOf(scalarToBytes(14n)),
  mainnet: false,
});
const text = encodeAddress(address);

describeAddresses(loadKnownAnswers());

describe("the text of an address", () => {
  it("may be all upper case, not mixed", () => {
    expect(parseAddress(text.toUpperCase())).toEqual(address);
    expect(() => parseAddress(`T${text.slice(1)}`)).toThrow(refused("ADDRESS_BECH32"));
  });

  it.each([
    ["empty", ""],
    ["without a separator", text.replace("1", "x")],
    ["with an empty prefix", text.slice(text.indexOf("1"))],
    ["with a prefix of 84 characters", `${"t".repeat(84)}${text.slice(4)}`],
    ["with a character outside the alphabet", `${text.slice(0, -1)}b`],
    ["with a blank", ` ${text}`],
    ["with a letter whose lower case is ASCII", `${text.toUpperCase().slice(0, -1)}\u212a`],
    ["with five data symbols", "ark1qqqqq"],
  ])("%s is refused as bech32", (_, broken) => {
    expect(() => parseAddress(broken)).toThrow(refused("ADDRESS_BECH32"));
  });

  it("with a foreign prefix is refused before its checksum is looked at", () => {
    expect(() => parseAddress("bc1qqqqqqqq")).toThrow(refused("ADDRESS_PREFIX"));
  });

  it("may carry non-zero padding bits and one superfluous symbol", () => {
    // 78 bytes are 124.8 symbols: there is room for one bit of padding, and one symbol more is no byte yet.
    const roomy: Address = {
      ...address,
      delivery: [...address.delivery, { kind: "unknown", type: 9, data: Uint8Array.of(1, 2) }],
    };
    const symbols = [1, ...bytesToSymbols(encodeAddressPayload(roomy))];
    const padded = symbols.with(-1, (symbols.at(-1) ?? 0) | 1);
    expect(padded).not.toEqual(symbols);
    expect(parseAddress(encodeBech32m("tark", padded))).toEqual(roomy);
    expect(parseAddress(encodeBech32m("tark", [...symbols, 31]))).toEqual(roomy);
  });

  it("is read up to 1023 characters, and never written longer", () => {
    const withData = (length: number): Address => ({
      ...address,
      delivery: [...address.delivery, { kind: "unknown", type: 9, data: new Uint8Array(length) }],
    });
    const length = longestData(withData);
    expect(encodeAddress(withData(length)).length).toBeGreaterThan(1020);
    expect(parseAddress(encodeAddress(withData(length)))).toEqual(withData(length));
    expect(() => encodeAddress(withData(length + 1))).toThrow(refused("ADDRESS_MALFORMED"));
    const long = encodeBech32m("tark", [1, ...bytesToSymbols(encodeAddressPayload(withData(length + 1)))]);
    expect(() => parseAddress(long)).toThrow(refused("ADDRESS_BECH32"));
  });

  it("has no room for a server mailbox of 34 bytes", () => {
    const payload = encodeAddressPayload({ ...address, delivery: [{ kind: "unknown", type: 2, data: new Uint8Array(34) }] });
    const typeAt = payload.length - 35;
    expect(payload[typeAt]).toBe(2);
    const text = encodeBech32m("tark", [1, ...bytesToSymbols(payload.with(typeAt, 1))]);
    expect(() => parseAddress(text)).toThrow(refused("ADDRESS_MALFORMED"));
  });

  it("cannot hide a server mailbox in an unknown entry", () => {
    const hidden: Address = { ...address, delivery: [{ kind: "unknown", type: 1, data: new Uint8Array(33) }] };
    expect(() => encodeAddress(hidden)).toThrow(refused("OUT_OF_RANGE"));
  });
});

describe("before an address is paid", () => {
  const wallet = { network: "testnet", serverPubkey } as const;

  it("its usable mailbox ids are returned in order", () => {
    const first = address.delivery[0];
    const second = { kind: "server-mailbox", blindedId: publicKeyOf(scalarToBytes(15n)) } as const;
    const unknown = { kind: "unknown", type: 0, data: new Uint8Array(33) } as const;
    const offCurve = { kind: "server-mailbox", blindedId: new Uint8Array(33).fill(5) } as const;
    if (first?.kind !== "server-mailbox") throw new Error("expected a mailbox entry");
    const ids = checkAddressPayable({ ...address, delivery: [unknown, second, offCurve, first] }, wallet);
    expect(ids).toEqual([second.blindedId, first.blindedId]);
  });

  const htlc: Address = {
    ...address,
    policy: {
      kind: "server-htlc-send-v1",
      userPubkey: address.policy.userPubkey,
      paymentHash: new Uint8Array(32),
      htlcExpiryHeight: 1,
    },
  };
  const offCurve: Address = { ...address, delivery: [{ kind: "server-mailbox", blindedId: new Uint8Array(33).fill(5) }] };
  const unknownOnly: Address = { ...address, delivery: [{ kind: "unknown", type: 0, data: new Uint8Array(33) }] };

  it.each([
    ["of the other network", { ...htlc, network: "mainnet", arkId: "00000000", delivery: [] }, "ADDRESS_WRONG_NETWORK"],
    ["of another server", { ...htlc, arkId: "00000000", delivery: [] }, "ADDRESS_WRONG_SERVER"],
    ["with an HTLC policy", { ...htlc, delivery: [] }, "ADDRESS_NOT_PUBKEY"],
    ["without delivery entries", { ...address, delivery: [] }, "ADDRESS_NO_DELIVERY"],
    ["with unknown entries only", unknownOnly, "ADDRESS_NO_DELIVERY"],
    ["with a mailbox off the curve", offCurve, "ADDRESS_NO_DELIVERY"],
  ] as const)("one %s is refused, in this order", (_, candidate, code) => {
    expect(() => checkAddressPayable(candidate, wallet)).toThrow(refused(code));
  });
});

function refused(code: string): unknown {
  return expect.objectContaining({ code });
}

function longestData(withData: (length: number) => Address): number {
  let length = 0;
  while (encodeBech32m("tark", [1, ...bytesToSymbols(encodeAddressPayload(withData(length + 1)))]).length <= 1023) length++;
  return length;
}
