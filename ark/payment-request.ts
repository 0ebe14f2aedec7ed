/** What payers are given to pay over Lightning: an invoice, or a `bitcoin:` URI that has one (BIP-21, BIP-321). */
import { type Bolt11Invoice, invoicePaymentSats, parseBolt11 } from "./bolt11.ts";
import { ArkError } from "./errors.ts";

/** An invoice, and what the URI around it says. */
export interface PaymentRequest {
  readonly invoice: Bolt11Invoice;
  /** The amount that the URI names; `undefined` where it names none, or there is no URI. */
  readonly amountSats: bigint | undefined;
}

const SATS_PER_BTC = 100_000_000n;

/**
 * Reads an invoice as {@link parseBolt11} does, also out of the parameter `lightning` of a `bitcoin:` URI. The scheme and
 * the names of parameters may be in either case. What else the URI offers, such as an address on chain, is passed over.
 *
 * @throws ArkError `UNSUPPORTED_URI` for a URI without one invoice, with a parameter that has to be understood (`req-…`), or
 *   one that cannot be read; the codes of `parseBolt11`
 */
export function parsePaymentRequest(text: string): PaymentRequest {
  const uri = /^bitcoin:[^?]*(?:\?(.*))?$/is.exec(text.trim());
  if (uri === null) return { invoice: parseBolt11(text), amountSats: undefined };
  const parameters = (uri[1] ?? "").split("&").map((parameter) => splitOnce(parameter));
  const required = parameters.find(([name]) => name.startsWith("req-"));
  if (required !== undefined) throw unsupported("expected no parameter that has to be understood", required[0].slice(0, 40));
  const invoice = theOnly(parameters, "lightning");
  if (invoice === undefined || invoice === "") throw unsupported("expected a URI with a Lightning invoice", "one without");
  const amount = theOnly(parameters, "amount");
  return { invoice: parseBolt11(invoice), amountSats: amount === undefined ? undefined : satsOf(amount) };
}

/**
 * What a payment of a request transfers, without the fee: as {@link invoicePaymentSats}, and no other amount than the URI
 * names.
 *
 * @param askedSats What the user wants to pay; not needed where invoice or URI names an amount.
 * @throws ArkError `INVOICE_AMOUNT_REQUIRED`, `INVOICE_AMOUNT_FIXED`, `INVOICE_AMOUNT_ZERO`
 */
export function requestPaymentSats({ invoice, amountSats: named }: PaymentRequest, askedSats?: bigint): bigint {
  const amountSats = invoicePaymentSats(invoice, askedSats ?? named);
  if (named !== undefined && named !== amountSats) {
    throw new ArkError("INVOICE_AMOUNT_FIXED", `expected the ${named} sat that the URI names, got ${amountSats}`);
  }
  return amountSats;
}

function splitOnce(parameter: string): [name: string, value: string] {
  const at = parameter.indexOf("=");
  return at < 0 ? [parameter.toLowerCase(), ""] : [parameter.slice(0, at).toLowerCase(), parameter.slice(at + 1)];
}

/** The value of a parameter; two of them could mean one thing to who showed the URI and another one here. */
function theOnly(parameters: readonly (readonly [string, string])[], name: string): string | undefined {
  const [value, other] = parameters.filter(([given]) => given === name).map(([, given]) => given);
  if (other !== undefined) throw unsupported(`expected ${name} once`, "it twice");
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    throw unsupported(`expected ${name} in percent-encoding`, "another text");
  }
}

/** Bitcoins as a decimal number, in sats. */
function satsOf(amount: string): bigint {
  const [, whole, fraction = ""] = /^(\d{1,8})(?:\.(\d{1,8})0*)?$/.exec(amount) ?? [];
  if (whole === undefined) throw unsupported("expected an amount of bitcoins with 8 decimals at most", "another text");
  return BigInt(whole) * SATS_PER_BTC + BigInt(fraction.padEnd(8, "0"));
}

function unsupported(expected: string, got: string): ArkError {
  return new ArkError("UNSUPPORTED_URI", `${expected}, got ${got}: give its invoice alone`);
}
