import { expect, it } from "vitest";
import { parseBolt11 } from "../../ark/bolt11.ts";
import { signBolt11 } from "../../ark/bolt11-sign.ts";
import { parsePaymentRequest, requestPaymentSats } from "../../ark/payment-request.ts";

const nodeKey = new Uint8Array(32).fill(0x21);
const draft = {
  network: "signet",
  createdAtS: 1_700_000_000n,
  paymentHash: new Uint8Array(32).fill(1),
  paymentSecret: new Uint8Array(32).fill(2),
  description: "tea",
} as const;
const INVOICE = signBolt11({ ...draft, amountMsats: 1_500_000n }, nodeKey);
const OPEN_INVOICE = signBolt11(draft, nodeKey);
const ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";

function refused(code: string) {
  return expect.objectContaining({ code });
}

it.each([
  ["an invoice alone", INVOICE, undefined],
  ["a link", `lightning:${INVOICE}`, undefined],
  ["a URI", `bitcoin:${ADDRESS}?lightning=${INVOICE}`, undefined],
  ["a URI without an address", `bitcoin:?lightning=${INVOICE}`, undefined],
  ["a URI in upper case", `BITCOIN:${ADDRESS}?AMOUNT=0.000015&LIGHTNING=${INVOICE}`.toUpperCase(), 1_500n],
  ["a URI with more", ` bitcoin:${ADDRESS}?label=a%40b&amount=0.0000150000&lightning=${INVOICE}&lno=lno1&pj=x\n`, 1_500n],
  ["a URI in percent-encoding", `bitcoin:?lightning=%6C${INVOICE.slice(1)}&amount=1`, 100_000_000n],
])("the invoice is read out of %s", (_what, text, amountSats) => {
  expect(parsePaymentRequest(text)).toEqual({ invoice: parseBolt11(INVOICE), amountSats });
});

it.each([
  ["no invoice", `bitcoin:${ADDRESS}?amount=1`, "UNSUPPORTED_URI"],
  ["nothing but an address", `bitcoin:${ADDRESS}`, "UNSUPPORTED_URI"],
  ["an empty invoice", "bitcoin:?lightning=", "UNSUPPORTED_URI"],
  ["two invoices", `bitcoin:?lightning=${INVOICE}&LIGHTNING=${OPEN_INVOICE}`, "UNSUPPORTED_URI"],
  ["two amounts", `bitcoin:?lightning=${INVOICE}&amount=1&amount=0.000015`, "UNSUPPORTED_URI"],
  ["what has to be understood", `bitcoin:?lightning=${INVOICE}&req-pop=x`, "UNSUPPORTED_URI"],
  ["broken percent-encoding", `bitcoin:?lightning=%zz${INVOICE}`, "UNSUPPORTED_URI"],
  ["an amount that is none", `bitcoin:?lightning=${INVOICE}&amount=1,5`, "UNSUPPORTED_URI"],
  ["a part of a sat", `bitcoin:?lightning=${INVOICE}&amount=0.000000001`, "UNSUPPORTED_URI"],
  ["an offer", "bitcoin:?lightning=lno1xyz", "UNSUPPORTED_BOLT12"],
  ["a broken invoice", `bitcoin:?lightning=${INVOICE}q`, "INVOICE_BECH32"],
])("a URI with %s is refused", (_what, text, code) => {
  expect(() => parsePaymentRequest(text)).toThrow(refused(code));
});

it("a URI's amount is paid where the invoice names none, and no other amount than the one it names", () => {
  const uri = (invoice: string, amount: string) => parsePaymentRequest(`bitcoin:?lightning=${invoice}&amount=${amount}`);
  expect(requestPaymentSats(uri(OPEN_INVOICE, "0.00002"))).toBe(2_000n);
  expect(requestPaymentSats(uri(OPEN_INVOICE, "0.00002"), 2_000n)).toBe(2_000n);
  expect(requestPaymentSats(uri(INVOICE, "0.000015"))).toBe(1_500n);
  expect(requestPaymentSats(parsePaymentRequest(OPEN_INVOICE), 3_000n)).toBe(3_000n);
  expect(() => requestPaymentSats(uri(OPEN_INVOICE, "0.00002"), 2_001n)).toThrow(refused("INVOICE_AMOUNT_FIXED"));
  expect(() => requestPaymentSats(uri(INVOICE, "0.00002"))).toThrow(refused("INVOICE_AMOUNT_FIXED"));
  expect(() => requestPaymentSats(uri(INVOICE, "0.00002"), 1_500n)).toThrow(refused("INVOICE_AMOUNT_FIXED"));
  expect(() => requestPaymentSats(uri(OPEN_INVOICE, "0"))).toThrow(refused("INVOICE_AMOUNT_ZERO"));
});
