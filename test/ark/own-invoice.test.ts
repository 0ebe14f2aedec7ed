import { expect, test } from "vitest";
import { type Bolt11Draft, signBolt11 } from "../../ark/bolt11-sign.ts";
import { ArkError } from "../../ark/errors.ts";
import { checkOwnInvoice, type InvoiceRequest, invoiceExpiresAtMs } from "../../ark/own-invoice.ts";

const NOW_S = 1_800_000_000n;
const request: InvoiceRequest = {
  network: "regtest",
  nowMs: Number(NOW_S) * 1_000,
  paymentHash: new Uint8Array(32).fill(1),
  amountSats: 10_000n,
  minCltvDelta: 216,
};

function answer(more: Partial<Bolt11Draft>): string {
  const draft: Bolt11Draft = {
    network: "regtest",
    amountMsats: 10_000_000n,
    createdAtS: NOW_S,
    paymentHash: request.paymentHash,
    paymentSecret: new Uint8Array(32).fill(2),
    description: "tea",
    expiryS: 172_800n,
    minFinalCltvDelta: 256n,
    ...more,
  };
  return signBolt11(draft, new Uint8Array(32).fill(3));
}

test("the invoice that was asked for is taken, and says when it expires", () => {
  const invoice = checkOwnInvoice(answer({}), request);
  expect(invoiceExpiresAtMs(invoice)).toBe(request.nowMs + 172_800_000);
  expect(checkOwnInvoice(answer({ minFinalCltvDelta: 216n, expiryS: 600n }), request).description).toBe("tea");
  expect(invoiceExpiresAtMs({ ...invoice, expiryS: 2n ** 60n })).toBe(Number.MAX_SAFE_INTEGER);
});

test.each<[string, string, Partial<Bolt11Draft>]>([
  ["another payment hash", "OWN_INVOICE_OTHER_HASH", { paymentHash: new Uint8Array(32).fill(9) }],
  ["a smaller amount", "OWN_INVOICE_OTHER_AMOUNT", { amountMsats: 9_999_999n }],
  ["a larger amount", "OWN_INVOICE_OTHER_AMOUNT", { amountMsats: 10_000_001n }],
  ["another network", "INVOICE_WRONG_NETWORK", { network: "signet" }],
  ["an end in the past", "INVOICE_EXPIRED", { createdAtS: NOW_S - 3_600n, expiryS: 3_600n }],
  ["hardly any life", "OWN_INVOICE_SHORT_LIFE", { expiryS: 599n }],
  ["too few blocks at the end", "OWN_INVOICE_SHORT_CLTV", { minFinalCltvDelta: 215n }],
])("an invoice with %s is refused: %s (R2)", (_, code, more) => {
  const thrown = (() => {
    try {
      return checkOwnInvoice(answer(more), request);
    } catch (error) {
      return error;
    }
  })();
  expect(thrown).toBeInstanceOf(ArkError);
  expect((thrown as ArkError).code).toBe(code);
});
