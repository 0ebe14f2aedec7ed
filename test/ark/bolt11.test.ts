import { describe, expect, it } from "vitest";
import { bytesToSymbols, CHECKSUM_SYMBOLS, encodeBech32, splitBech32m } from "../../ark/bech32m.ts";
import { type Bolt11Invoice, checkInvoicePayable, invoicePaymentSats, parseBolt11 } from "../../ark/bolt11.ts";
import { signBolt11, signBolt11Symbols } from "../../ark/bolt11-sign.ts";
import { publicKeyOf } from "../../ark/crypto.ts";
import { decodeHex, encodeHex } from "../../ark/hex.ts";

/** The key that signed the examples of BOLT 11. */
const nodeKey = decodeHex("e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734");
const node = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad";
const hash = "0001020304050607080900010203040506070809000102030405060708090102";

const COFFEE_BEANS =
  "lnbc25m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5vdhkven9v5sxyetpdeessp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9q5sqqqqqqqqqqqqqqqpqsq67gye39hfg3zd8rgc80k32tvy9xk2xunwm5lzexnvpx6fd77en8qaq424dxgt56cag2dpt359k3ssyhetktkpqh24jqnjyw6uqd08sgptq44qu";

const draft = {
  network: "signet",
  createdAtS: 1_700_000_000n,
  paymentHash: decodeHex(hash),
  paymentSecret: new Uint8Array(32).fill(0x11),
  description: "ナンセンス 1杯",
} as const;

describe("the examples of BOLT 11", () => {
  it.each([
    ["in lower case", COFFEE_BEANS],
    ["in upper case", COFFEE_BEANS.toUpperCase()],
    ["as a link", `  lightning:${COFFEE_BEANS}\n`],
  ])("are read %s", (_case, text) => {
    expect(parseBolt11(text)).toEqual({
      text: COFFEE_BEANS,
      network: "bitcoin",
      amountMsats: 2_500_000_000n,
      createdAtS: 1_496_314_658n,
      paymentHash: decodeHex(hash),
      paymentSecret: new Uint8Array(32).fill(0x11),
      description: "coffee beans",
      descriptionHash: undefined,
      expiryS: 3_600n,
      minFinalCltvDelta: 18n,
      payee: decodeHex(node),
    });
  });

  it.each([
    [
      "without payment secret: any amount",
      "INVOICE_FEATURES",
      "lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq8rkx3yf5tcsyz3d73gafnh3cax9rn449d9p5uxz9ezhhypd0elx87sjle52x86fux2ypatgddc6k63n7erqz25le42c4u4ecky03ylcqca784w",
    ],
    [
      "that requires feature 100",
      "INVOICE_FEATURES",
      "lnbc25m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5vdhkven9v5sxyetpdeessp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9q4psqqqqqqqqqqqqqqqpqsqq40wa3khl49yue3zsgm26jrepqr2eghqlx86rttutve3ugd05em86nsefzh4pfurpd9ek9w2vp95zxqnfe2u7ckudyahsa52q66tgzcp6t2dyk",
    ],
    [
      "with a wrong checksum",
      "INVOICE_BECH32",
      "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpquwpc4curk03c9wlrswe78q4eyqc7d8d0xqzpuyk0sg5g70me25alkluzd2x62aysf2pyy8edtjeevuv4p2d5p76r4zkmneet7uvyakky2zr4cusd45tftc9c5fh0nnqpnl2jfll544esqchsrnt",
    ],
    [
      "without prefix",
      "INVOICE_BECH32",
      "pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpquwpc4curk03c9wlrswe78q4eyqc7d8d0xqzpuyk0sg5g70me25alkluzd2x62aysf2pyy8edtjeevuv4p2d5p76r4zkmneet7uvyakky2zr4cusd45tftc9c5fh0nnqpnl2jfll544esqchsrny",
    ],
    [
      "in both cases",
      "INVOICE_BECH32",
      "LNBC2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpquwpc4curk03c9wlrswe78q4eyqc7d8d0xqzpuyk0sg5g70me25alkluzd2x62aysf2pyy8edtjeevuv4p2d5p76r4zkmneet7uvyakky2zr4cusd45tftc9c5fh0nnqpnl2jfll544esqchsrny",
    ],
    [
      "that is too short",
      "INVOICE_MALFORMED",
      "lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6na6hlh",
    ],
    [
      "with multiplier x",
      "INVOICE_BAD_AMOUNT",
      "lnbc2500x1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpujr6jxr9gq9pv6g46y7d20jfkegkg4gljz2ea2a3m9lmvvr95tq2s0kvu70u3axgelz3kyvtp2ywwt0y8hkx2869zq5dll9nelr83zzqqpgl2zg",
    ],
    [
      "of a tenth of a msat",
      "INVOICE_BAD_AMOUNT",
      "lnbc2500000001p1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu7hqtk93pkf7sw55rdv4k9z2vj050rxdr6za9ekfs3nlt5lr89jqpdmxsmlj9urqumg0h9wzpqecw7th56tdms40p2ny9q4ddvjsedzcplva53s",
    ],
  ])("are refused where one is %s", (_what, code, text) => {
    expect(() => parseBolt11(text)).toThrow(refused(code));
  });
});

describe("an invoice of our own making", () => {
  it.each([
    ["signet", 1n, undefined],
    ["testnet", 123_456n, undefined],
    ["regtest", undefined, 60n],
    ["bitcoin", 2_100_000_000_000_000_000n, 172_800n],
  ] as const)("is read as it was written: %s, %s msat", (network, amountMsats, expiryS) => {
    const amount = amountMsats === undefined ? {} : { amountMsats };
    const expiry = expiryS === undefined ? {} : { expiryS };
    const invoice = parseBolt11(signBolt11({ ...draft, network, ...amount, ...expiry, minFinalCltvDelta: 256n }, nodeKey));
    expect(invoice).toMatchObject({ network, amountMsats, description: draft.description, minFinalCltvDelta: 256n });
    expect(invoice.expiryS).toBe(expiryS ?? 3_600n);
    expect(encodeHex(invoice.payee)).toBe(node);
  });

  it("is read past unknown fields, and known ones of another length", () => {
    const { prefix, symbols } = taken(signBolt11(draft, nodeKey));
    const unknown = [2, 3, 9, 1, 16, 19, 23].flatMap((type) => [type, 1, 18, ...new Array(50).fill(0)]);
    const { text, ...said } = parseBolt11(signBolt11Symbols(prefix, [...symbols, ...unknown], nodeKey));
    expect(parseBolt11(signBolt11(draft, nodeKey))).toMatchObject(said);
  });

  it("reads simnet as regtest", () => {
    const { prefix, symbols } = taken(signBolt11({ ...draft, network: "regtest" }, nodeKey));
    expect(prefix).toBe("lnbcrt");
    expect(parseBolt11(signBolt11Symbols("lnsb", symbols, nodeKey)).network).toBe("regtest");
  });

  it("names another signer or none after any change of a symbol", () => {
    const { prefix, symbols, signature } = taken(signBolt11(draft, nodeKey));
    for (let at = 0; at < symbols.length; at += 13) {
      const changed = symbols.with(at, (symbols[at] ?? 0) ^ 1);
      expect(payeeOf(encodeBech32(prefix, [...changed, ...signature]))).not.toBe(node);
    }
    expect(payeeOf(encodeBech32("lntb", [...symbols, ...signature]))).not.toBe(node);
  });

  it("is refused when the payee it names did not sign", () => {
    const { prefix, symbols } = taken(signBolt11(draft, nodeKey));
    const named = [...symbols, 19, 1, 21, ...bytesToSymbols(decodeHex(node))];
    expect(encodeHex(parseBolt11(signBolt11Symbols(prefix, named, nodeKey)).payee)).toBe(node);
    const other = new Uint8Array(32).fill(7);
    expect(() => parseBolt11(signBolt11Symbols(prefix, named, other))).toThrow(refused("INVOICE_SIGNATURE"));
    const noKey = [...symbols, 19, 1, 21, ...bytesToSymbols(new Uint8Array(33).fill(2, 0, 1))];
    expect(() => parseBolt11(signBolt11Symbols(prefix, noKey, nodeKey))).toThrow(refused("INVOICE_MALFORMED"));
  });

  it("is refused with a signature that yields no key", () => {
    const { prefix, symbols } = taken(signBolt11(draft, nodeKey));
    const none = encodeBech32(prefix, [...symbols, ...bytesToSymbols(new Uint8Array(65))]);
    expect(() => parseBolt11(none)).toThrow(refused("INVOICE_SIGNATURE"));
  });

  it.each([
    ["a second payment hash", [1, 1, 20, ...bytesToSymbols(new Uint8Array(32))]],
    ["a second payment secret", [16, 1, 20, ...bytesToSymbols(new Uint8Array(32))]],
    ["a description hash beside the description", [23, 1, 20, ...bytesToSymbols(new Uint8Array(32))]],
    ["a second description", [13, 0, 0]],
    ["a field that is cut off", [2, 0, 3, 0]],
    ["a field without length", [2, 0]],
  ])("is refused with %s", (_what, more) => {
    const { prefix, symbols } = taken(signBolt11(draft, nodeKey));
    expect(() => parseBolt11(signBolt11Symbols(prefix, [...symbols, ...more], nodeKey))).toThrow(refused("INVOICE_MALFORMED"));
  });

  it("is refused when it names nothing at all, or a description that is no text", () => {
    const { prefix, symbols } = taken(signBolt11(draft, nodeKey));
    expect(() => parseBolt11(signBolt11Symbols(prefix, symbols.slice(0, 7), nodeKey))).toThrow(refused("INVOICE_MALFORMED"));
    const at = symbols.findIndex((symbol, i) => symbol === 13 && i > 100);
    const broken = symbols.with(at + 3, 31).with(at + 4, 31);
    expect(() => parseBolt11(signBolt11Symbols(prefix, broken, nodeKey))).toThrow(refused("INVOICE_MALFORMED"));
  });

  it.each([
    ["lnxy", "INVOICE_PREFIX"],
    ["xnbc", "INVOICE_PREFIX"],
    ["lnbcm", "INVOICE_BAD_AMOUNT"],
    ["lnbc99999999999m", "INVOICE_BAD_AMOUNT"],
  ])("is refused with the prefix %s", (prefix, code) => {
    const { symbols } = taken(signBolt11(draft, nodeKey));
    expect(() => parseBolt11(signBolt11Symbols(prefix, symbols, nodeKey))).toThrow(refused(code));
  });

  it("is not written with a description that does not fit", () => {
    expect(() => signBolt11({ ...draft, description: "x".repeat(640) }, nodeKey)).toThrow(refused("OUT_OF_RANGE"));
  });
});

describe("other payment requests", () => {
  it.each([
    ["lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrc", "UNSUPPORTED_BOLT12"],
    ["LNI1QQ", "UNSUPPORTED_BOLT12"],
    [
      "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS",
      "UNSUPPORTED_LNURL",
    ],
    ["alice@example.org", "UNSUPPORTED_LNURL"],
    ["tark1qqqq", "INVOICE_BECH32"],
    ["", "INVOICE_BECH32"],
  ])("are refused by name: %s", (text, code) => {
    expect(() => parseBolt11(text)).toThrow(refused(code));
  });

  it("are not read when they are too long", () => {
    const { prefix, symbols } = taken(signBolt11(draft, nodeKey));
    const long = [...symbols, ...new Array(20).fill([2, 15, 31, ...new Array(511).fill(0)]).flat()];
    expect(() => parseBolt11(signBolt11Symbols(prefix, long, nodeKey))).toThrow(refused("INVOICE_BECH32"));
  });
});

describe("an invoice can be paid", () => {
  const invoice = parseBolt11(signBolt11({ ...draft, expiryS: 60n }, nodeKey));

  it("on its own network only", () => {
    const nowMs = 1_700_000_000_000;
    expect(() => checkInvoicePayable(invoice, { network: "signet", nowMs })).not.toThrow();
    expect(() => checkInvoicePayable(invoice, { network: "bitcoin", nowMs })).toThrow(refused("INVOICE_WRONG_NETWORK"));
    const testnet: Bolt11Invoice = { ...invoice, network: "testnet" };
    expect(() => checkInvoicePayable(testnet, { network: "testnet4", nowMs })).not.toThrow();
  });

  it("until it expires, not from then on (S3)", () => {
    expect(() => checkInvoicePayable(invoice, { network: "signet", nowMs: 1_700_000_059_999 })).not.toThrow();
    expect(() => checkInvoicePayable(invoice, { network: "signet", nowMs: 1_700_000_060_000 })).toThrow(
      refused("INVOICE_EXPIRED"),
    );
  });
});

describe("the amount of a payment (lightning.md §6.3)", () => {
  it("is the invoice's, rounded up to a sat", () => {
    expect(invoicePaymentSats({ amountMsats: 1_000n })).toBe(1n);
    expect(invoicePaymentSats({ amountMsats: 1_001n })).toBe(2n);
    expect(invoicePaymentSats({ amountMsats: 1_001n }, 2n)).toBe(2n);
  });

  it("is the user's where the invoice names none", () => {
    expect(invoicePaymentSats({ amountMsats: undefined }, 7n)).toBe(7n);
    expect(() => invoicePaymentSats({ amountMsats: undefined })).toThrow(refused("INVOICE_AMOUNT_REQUIRED"));
  });

  it("never differs from the invoice's (S4), and is never 0", () => {
    expect(() => invoicePaymentSats({ amountMsats: 5_000n }, 6n)).toThrow(refused("INVOICE_AMOUNT_FIXED"));
    expect(() => invoicePaymentSats({ amountMsats: 5_000n }, 4n)).toThrow(refused("INVOICE_AMOUNT_FIXED"));
    expect(() => invoicePaymentSats({ amountMsats: 0n }, 4n)).toThrow(refused("INVOICE_AMOUNT_ZERO"));
    expect(() => invoicePaymentSats({ amountMsats: undefined }, 0n)).toThrow(refused("INVOICE_AMOUNT_ZERO"));
    expect(() => invoicePaymentSats({ amountMsats: undefined }, -1n)).toThrow(refused("INVOICE_AMOUNT_ZERO"));
  });
});

it("the examples' key is the examples' node", () => {
  expect(encodeHex(publicKeyOf(nodeKey))).toBe(node);
});

function refused(code: string) {
  return expect.objectContaining({ code });
}

/** Who an invoice says signed it, or the code of its refusal. */
function payeeOf(text: string): string {
  try {
    return encodeHex(parseBolt11(text).payee);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function taken(text: string) {
  const { prefix, symbols } = splitBech32m(text);
  const data = symbols.slice(0, -CHECKSUM_SYMBOLS);
  return { prefix, symbols: data.slice(0, -104), signature: data.slice(-104) };
}
