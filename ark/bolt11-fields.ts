import { symbolsToBytes } from "./bech32m.ts";
import { isValidPublicKey } from "./crypto.ts";
import { ArkError } from "./errors.ts";

/** What the tagged fields of an invoice say, as far as a payer needs it (BOLT 11). */
export interface Bolt11Fields {
  /** SHA-256 of the preimage, 32 bytes. */
  readonly paymentHash: Uint8Array;
  /** 32 bytes. */
  readonly paymentSecret: Uint8Array;
  /** Text of the payee, unescaped: data, never markup. */
  readonly description: string | undefined;
  /** SHA-256 of a longer description, 32 bytes; exactly one of the two is there. */
  readonly descriptionHash: Uint8Array | undefined;
  /** Seconds after its creation during which the invoice can be paid. */
  readonly expiryS: bigint;
  /** Blocks that the last HTLC must have left. */
  readonly minFinalCltvDelta: bigint;
}

/** A field: its type and its data, in 5-bit symbols. */
interface Field {
  readonly type: number;
  readonly data: readonly number[];
}

/** The types that matter to a payer; others are skipped, as are known ones of another length. */
export const BOLT11_FIELD = {
  paymentHash: 1,
  features: 5,
  expiry: 6,
  description: 13,
  paymentSecret: 16,
  payee: 19,
  descriptionHash: 23,
  minFinalCltvDelta: 24,
} as const;

const DEFAULT_EXPIRY_S = 3_600n;
const DEFAULT_MIN_FINAL_CLTV_DELTA = 18n;

const PAYMENT_SECRET_BIT = 14;
/** What an invoice may require: onions of variable length, payment secrets, multi-part payments, metadata (BOLT 9). */
const KNOWN_BITS: readonly number[] = [8, PAYMENT_SECRET_BIT, 16, 48];

/**
 * Reads the tagged fields: exactly one payment hash, one payment secret, one of description and its hash, and features
 * that offer a payment secret and require nothing unknown (lightning.md §6.1).
 *
 * @param symbols What stands between time and signature.
 * @throws ArkError `INVOICE_MALFORMED`, `INVOICE_FEATURES`
 */
export function readBolt11Fields(symbols: readonly number[]): Bolt11Fields & { readonly payee: Uint8Array | undefined } {
  const fields = splitFields(symbols);
  const bytesOf = (type: number, length: number) =>
    fields
      .filter((field) => field.type === type && field.data.length === Math.ceil((length * 8) / 5))
      .map((field) => symbolsToBytes(field.data));
  const descriptions = fields.filter((field) => field.type === BOLT11_FIELD.description);
  const hashes = bytesOf(BOLT11_FIELD.descriptionHash, 32);
  if (descriptions.length + hashes.length !== 1) {
    throw new ArkError("INVOICE_MALFORMED", `expected one description or its hash, got ${descriptions.length + hashes.length}`);
  }
  checkFeatures(fields.find((field) => field.type === BOLT11_FIELD.features)?.data ?? []);
  return {
    paymentHash: exactlyOne("payment hash", bytesOf(BOLT11_FIELD.paymentHash, 32)),
    paymentSecret: exactlyOne("payment secret", bytesOf(BOLT11_FIELD.paymentSecret, 32)),
    description: descriptions[0] === undefined ? undefined : readText(descriptions[0]),
    descriptionHash: hashes[0],
    expiryS: numberOf(fields, BOLT11_FIELD.expiry) ?? DEFAULT_EXPIRY_S,
    minFinalCltvDelta: numberOf(fields, BOLT11_FIELD.minFinalCltvDelta) ?? DEFAULT_MIN_FINAL_CLTV_DELTA,
    payee: readPayee(bytesOf(BOLT11_FIELD.payee, 33)),
  };
}

function splitFields(symbols: readonly number[]): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < symbols.length) {
    const [type, high, low] = symbols.slice(at, at + 3);
    if (type === undefined || high === undefined || low === undefined) {
      throw new ArkError("INVOICE_MALFORMED", `expected a field of at least 3 symbols, got ${symbols.length - at}`);
    }
    const end = at + 3 + high * 32 + low;
    if (end > symbols.length) {
      throw new ArkError("INVOICE_MALFORMED", `expected ${end} symbols, got ${symbols.length}`);
    }
    fields.push({ type, data: symbols.slice(at + 3, end) });
    at = end;
  }
  return fields;
}

/** Bit 0 is the lowest of the last symbol. An even bit requires, an odd one offers. */
function checkFeatures(data: readonly number[]): void {
  const bits = data.flatMap((symbol, i) =>
    [0, 1, 2, 3, 4].filter((bit) => (symbol >> bit) & 1).map((bit) => (data.length - 1 - i) * 5 + bit),
  );
  if (!bits.includes(PAYMENT_SECRET_BIT) && !bits.includes(PAYMENT_SECRET_BIT + 1)) {
    throw new ArkError("INVOICE_FEATURES", "expected an invoice with a payment secret among its features, got one without");
  }
  const unknown = bits.find((bit) => bit % 2 === 0 && !KNOWN_BITS.includes(bit));
  if (unknown !== undefined) {
    throw new ArkError("INVOICE_FEATURES", `expected known features to be required, got bit ${unknown}`);
  }
}

function readPayee(keys: readonly Uint8Array[]): Uint8Array | undefined {
  if (keys.length === 0) return undefined;
  const key = exactlyOne("payee", keys);
  if (!isValidPublicKey(key)) throw new ArkError("INVOICE_MALFORMED", "expected a compressed key as payee, got other bytes");
  return key;
}

function readText(field: Field): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(symbolsToBytes(field.data));
  } catch (cause) {
    throw new ArkError("INVOICE_MALFORMED", "expected a description in UTF-8, got other bytes", { cause });
  }
}

/** The first such field counts: the writer's favourite. */
function numberOf(fields: readonly Field[], type: number): bigint | undefined {
  const field = fields.find((candidate) => candidate.type === type);
  return field?.data.reduce((value, symbol) => (value << 5n) | BigInt(symbol), 0n);
}

function exactlyOne(what: string, found: readonly Uint8Array[]): Uint8Array {
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new ArkError("INVOICE_MALFORMED", `expected exactly one ${what}, got ${found.length}`);
  }
  return only;
}
