/** Lightning invoices as payers see them: parsing, and every check before money moves (lightning.md §6.1, BOLT 11). */
import { CHECKSUM_SYMBOLS, hasBech32Checksum, splitBech32m, symbolsToBytes } from "./bech32m.ts";
import { type Bolt11Fields, readBolt11Fields } from "./bolt11-fields.ts";
import { concatBytes } from "./bytes.ts";
import { recoverEcdsaKey, verifyEcdsa } from "./crypto.ts";
import { ArkError } from "./errors.ts";

/** Where an invoice can be paid. `testnet` stands for testnet4 too, and simnet counts as `regtest`. */
export type InvoiceNetwork = "bitcoin" | "testnet" | "signet" | "regtest";

/** A signed invoice, readable and complete. Whether it can be paid now is for {@link checkInvoicePayable} to say. */
export interface Bolt11Invoice extends Bolt11Fields {
  /** The invoice in lower case, without `lightning:`. */
  readonly text: string;
  readonly network: InvoiceNetwork;
  /** In thousandths of a sat; `undefined` when the payer chooses. */
  readonly amountMsats: bigint | undefined;
  /** Seconds since 1970. */
  readonly createdAtS: bigint;
  /** Compressed key of the node that signed. It says nothing about who stands behind it. */
  readonly payee: Uint8Array;
}

/** What a payer brings along. */
export interface InvoicePayer {
  /** Network of the wallet. */
  readonly network: InvoiceNetwork | "testnet4";
  readonly nowMs: number;
}

/** Longest invoice that is read: what fits the largest QR code. */
const MAX_INVOICE_LENGTH = 7_089;

const SIGNATURE_SYMBOLS = 104;
const TIMESTAMP_SYMBOLS = 7;

/** The longest name that fits comes first. */
const CURRENCIES: readonly (readonly [string, InvoiceNetwork])[] = [
  ["bcrt", "regtest"],
  ["bc", "bitcoin"],
  ["tbs", "signet"],
  ["tb", "testnet"],
  ["sb", "regtest"],
];

/** Thousandths of a sat in ten units of each multiplier; ten, because a pico-bitcoin is a tenth of one. */
const MSATS_IN_TEN: Readonly<Record<string, bigint>> = {
  "": 1_000_000_000_000n,
  m: 1_000_000_000n,
  u: 1_000_000n,
  n: 1_000n,
  p: 1n,
};
const MAX_MSATS = 21_000_000n * 100_000_000_000n;

/**
 * Reads an invoice, in either case and with or without `lightning:`, and verifies its signature.
 *
 * @throws ArkError `UNSUPPORTED_BOLT12`, `UNSUPPORTED_LNURL` for what else a payment request may be;
 *   `INVOICE_BECH32`, `INVOICE_PREFIX`, `INVOICE_BAD_AMOUNT`, `INVOICE_MALFORMED`, `INVOICE_FEATURES`,
 *   `INVOICE_SIGNATURE`
 */
export function parseBolt11(text: string): Bolt11Invoice {
  const bare = text.trim().replace(/^lightning:/i, "");
  refuseOtherRequests(bare);
  const { prefix, symbols } = decodeText(bare);
  const { network, amountMsats } = readPrefix(prefix);
  if (symbols.length < TIMESTAMP_SYMBOLS + SIGNATURE_SYMBOLS) {
    throw new ArkError("INVOICE_MALFORMED", `expected a time and a signature, got ${symbols.length} symbols`);
  }
  const signed = symbols.slice(0, -SIGNATURE_SYMBOLS);
  const { payee: named, ...fields } = readBolt11Fields(signed.slice(TIMESTAMP_SYMBOLS));
  const payee = signer(bolt11SignedBytes(prefix, signed), symbolsToBytes(symbols.slice(-SIGNATURE_SYMBOLS)), named);
  const createdAtS = symbolsToNumber(signed.slice(0, TIMESTAMP_SYMBOLS));
  return { text: bare.toLowerCase(), network, amountMsats, createdAtS, ...fields, payee };
}

/**
 * Checks that an invoice is one of the wallet's network and has not expired (lightning.md §6.1, S3).
 *
 * @throws ArkError `INVOICE_WRONG_NETWORK`, `INVOICE_EXPIRED`
 */
export function checkInvoicePayable(invoice: Bolt11Invoice, payer: InvoicePayer): void {
  const network = payer.network === "testnet4" ? "testnet" : payer.network;
  if (invoice.network !== network) {
    throw new ArkError("INVOICE_WRONG_NETWORK", `expected an invoice of ${payer.network}, got one of ${invoice.network}`);
  }
  const expiresAtS = invoice.createdAtS + invoice.expiryS;
  const nowS = BigInt(Math.floor(payer.nowMs / 1_000));
  if (nowS >= expiresAtS) {
    throw new ArkError("INVOICE_EXPIRED", `expected an invoice that is valid at ${nowS} s, got one until ${expiresAtS} s`);
  }
}

/**
 * What a payment of an invoice transfers, without the fee (lightning.md §6.3).
 *
 * An invoice's own amount cannot be exceeded: the server would keep the difference (S4).
 *
 * @param askedSats What the user wants to pay; needed exactly when the invoice names no amount.
 * @throws ArkError `INVOICE_AMOUNT_REQUIRED`, `INVOICE_AMOUNT_FIXED`, `INVOICE_AMOUNT_ZERO`
 */
export function invoicePaymentSats(invoice: Pick<Bolt11Invoice, "amountMsats">, askedSats?: bigint): bigint {
  const { amountMsats } = invoice;
  const ownSats = amountMsats === undefined ? undefined : (amountMsats + 999n) / 1_000n;
  const amountSats = ownSats ?? askedSats;
  if (amountSats === undefined) {
    throw new ArkError("INVOICE_AMOUNT_REQUIRED", "expected an amount for an invoice that names none, got none");
  }
  if (amountSats <= 0n) throw new ArkError("INVOICE_AMOUNT_ZERO", `expected an amount of at least 1 sat, got ${amountSats}`);
  if (askedSats !== undefined && askedSats !== amountSats) {
    throw new ArkError("INVOICE_AMOUNT_FIXED", `expected the ${amountSats} sat that the invoice names, got ${askedSats}`);
  }
  return amountSats;
}

/** What the payee of an invoice signs: the prefix, and the data symbols padded with zero bits to bytes (BOLT 11). */
export function bolt11SignedBytes(prefix: string, symbols: readonly number[]): Uint8Array {
  const padded = symbolsToBytes([...symbols, 0, 0]).subarray(0, Math.ceil((symbols.length * 5) / 8));
  return concatBytes(new TextEncoder().encode(prefix), padded);
}

/** A big-endian number of 5-bit symbols. */
function symbolsToNumber(symbols: readonly number[]): bigint {
  return symbols.reduce((value, symbol) => (value << 5n) | BigInt(symbol), 0n);
}

/** Prefix and symbols of a text whose checksum is right; the checksum itself is left out. */
function decodeText(text: string): { readonly prefix: string; readonly symbols: readonly number[] } {
  if (text.length > MAX_INVOICE_LENGTH) {
    throw new ArkError("INVOICE_BECH32", `expected at most ${MAX_INVOICE_LENGTH} characters, got ${text.length}`);
  }
  let decoded: ReturnType<typeof splitBech32m>;
  try {
    decoded = splitBech32m(text);
  } catch (cause) {
    throw new ArkError("INVOICE_BECH32", "expected the bech32 text of an invoice, got another text", { cause });
  }
  if (!hasBech32Checksum(decoded)) throw new ArkError("INVOICE_BECH32", "expected a correct checksum, got a wrong one");
  return { prefix: decoded.prefix, symbols: decoded.symbols.slice(0, -CHECKSUM_SYMBOLS) };
}

function refuseOtherRequests(text: string): void {
  if (/^ln[oir]1/i.test(text)) {
    throw new ArkError("UNSUPPORTED_BOLT12", "expected a BOLT 11 invoice, got an offer, request or invoice of BOLT 12");
  }
  if (/^lnurl/i.test(text) || /^[^@\s]+@[^@\s]+$/.test(text)) {
    throw new ArkError("UNSUPPORTED_LNURL", "expected a BOLT 11 invoice, got an LNURL or a Lightning address");
  }
}

function readPrefix(prefix: string): Pick<Bolt11Invoice, "network" | "amountMsats"> {
  const currency = CURRENCIES.find(([name]) => prefix.startsWith(`ln${name}`));
  if (currency === undefined) {
    throw new ArkError("INVOICE_PREFIX", `expected a prefix of ln and a known currency, got "${prefix.slice(0, 8)}"`);
  }
  const [name, network] = currency;
  const amount = prefix.slice(2 + name.length);
  return { network, amountMsats: amount === "" ? undefined : readAmount(amount) };
}

function readAmount(text: string): bigint {
  const [, digits, multiplier = ""] = /^(\d{1,20})([munp]?)$/.exec(text) ?? [];
  const inTen = MSATS_IN_TEN[multiplier];
  if (digits === undefined || inTen === undefined) {
    throw new ArkError("INVOICE_BAD_AMOUNT", `expected digits and one of m, u, n, p, got "${text.slice(0, 25)}"`);
  }
  const tenfold = BigInt(digits) * inTen;
  if (tenfold % 10n !== 0n || tenfold / 10n > MAX_MSATS) {
    throw new ArkError("INVOICE_BAD_AMOUNT", `expected a whole number of msat, at most ${MAX_MSATS}, got "${text}"`);
  }
  return tenfold / 10n;
}

/** The key that signed: the one the invoice names, else the one that the signature yields. */
function signer(message: Uint8Array, signature: Uint8Array, named: Uint8Array | undefined): Uint8Array {
  const compact = signature.slice(0, 64);
  if (named !== undefined) {
    if (!verifyEcdsa(compact, message, named)) {
      throw new ArkError("INVOICE_SIGNATURE", "expected a signature of the payee that the invoice names, got another");
    }
    return named;
  }
  const recovered = recoverEcdsaKey(compact, signature[64] ?? 0, message);
  if (recovered === null) throw new ArkError("INVOICE_SIGNATURE", "expected a signature that yields a key, got another");
  return recovered;
}
