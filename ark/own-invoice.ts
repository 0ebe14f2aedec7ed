import { type Bolt11Invoice, checkInvoicePayable, type InvoicePayer, parseBolt11 } from "./bolt11.ts";
import { equalBytes } from "./bytes.ts";
import { ArkError } from "./errors.ts";

/** Shortest life of an invoice that can still be handed to a payer. */
const LEAST_LIFE_MS = 10 * 60_000;

/** What a wallet asked a server to make an invoice of. */
export interface InvoiceRequest extends InvoicePayer {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array;
  readonly amountSats: bigint;
  /** In blocks. */
  readonly minCltvDelta: number;
}

/**
 * Reads the invoice that a server made for this wallet, and checks that it is the one that was asked for: hash, amount,
 * network, expiry and final CLTV delta (lightning.md §9.2 #6, R2).
 *
 * @throws ArkError the codes of `parseBolt11`; `OWN_INVOICE_OTHER_HASH`, `OWN_INVOICE_OTHER_AMOUNT`,
 *   `INVOICE_WRONG_NETWORK`, `INVOICE_EXPIRED`, `OWN_INVOICE_SHORT_LIFE`, `OWN_INVOICE_SHORT_CLTV`
 */
export function checkOwnInvoice(text: string, request: InvoiceRequest): Bolt11Invoice {
  const invoice = parseBolt11(text);
  const { paymentHash, amountSats, minCltvDelta, nowMs } = request;
  if (!equalBytes(invoice.paymentHash, paymentHash)) {
    throw new ArkError("OWN_INVOICE_OTHER_HASH", "expected an invoice with this wallet's payment hash, got another");
  }
  if (invoice.amountMsats !== amountSats * 1_000n) {
    const got = invoice.amountMsats === undefined ? "none" : `${invoice.amountMsats} msat`;
    throw new ArkError("OWN_INVOICE_OTHER_AMOUNT", `expected an invoice over ${amountSats} sat, got ${got}`);
  }
  checkInvoicePayable(invoice, request);
  const expiresAtMs = invoiceExpiresAtMs(invoice);
  if (expiresAtMs < nowMs + LEAST_LIFE_MS) {
    throw new ArkError(
      "OWN_INVOICE_SHORT_LIFE",
      `expected an invoice that lives ${LEAST_LIFE_MS} ms, got ${expiresAtMs - nowMs}`,
    );
  }
  if (invoice.minFinalCltvDelta < BigInt(minCltvDelta)) {
    const message = `expected a final CLTV delta of at least ${minCltvDelta}, got ${invoice.minFinalCltvDelta}`;
    throw new ArkError("OWN_INVOICE_SHORT_CLTV", message);
  }
  return invoice;
}

/** When an invoice expires, milliseconds since 1970; one that never does is as good as at the end of safe numbers. */
export function invoiceExpiresAtMs({ createdAtS, expiryS }: Bolt11Invoice): number {
  const expiresAtMs = (createdAtS + expiryS) * 1_000n;
  return expiresAtMs > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(expiresAtMs);
}
