import { bytesToSymbols, encodeBech32 } from "./bech32m.ts";
import { bolt11SignedBytes, type InvoiceNetwork } from "./bolt11.ts";
import { BOLT11_FIELD } from "./bolt11-fields.ts";
import { concatBytes } from "./bytes.ts";
import { signEcdsa } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { checkLength } from "./limits.ts";

/** What an invoice shall say. */
export interface Bolt11Draft {
  readonly network: InvoiceNetwork;
  /** Left out: the payer chooses. */
  readonly amountMsats?: bigint;
  /** Seconds since 1970. */
  readonly createdAtS: bigint;
  /** SHA-256 of the preimage, 32 bytes. */
  readonly paymentHash: Uint8Array;
  /** 32 bytes. */
  readonly paymentSecret: Uint8Array;
  readonly description: string;
  readonly expiryS?: bigint;
  readonly minFinalCltvDelta?: bigint;
}

const CURRENCY: Readonly<Record<InvoiceNetwork, string>> = { bitcoin: "bc", testnet: "tb", signet: "tbs", regtest: "bcrt" };
/** Bits 8 and 14: onions of variable length and payment secrets are required. */
const FEATURES = [16, 8, 0];

/**
 * Writes and signs an invoice, as a payee's node does (BOLT 11). Wallets have their server's node do it; simulators and
 * tests need their own.
 *
 * @throws ArkError `BAD_SECRET_KEY`, `OUT_OF_RANGE`
 */
export function signBolt11(draft: Bolt11Draft, nodeSecretKey: Uint8Array): string {
  const { amountMsats, expiryS, minFinalCltvDelta } = draft;
  // Pico-bitcoins express every amount; the last digit is always 0.
  const amount = amountMsats === undefined ? "" : `${amountMsats}0p`;
  const symbols = [
    ...numberSymbols(draft.createdAtS, 7),
    ...field(BOLT11_FIELD.paymentHash, bytesToSymbols(checkLength(draft.paymentHash, 32))),
    ...field(BOLT11_FIELD.paymentSecret, bytesToSymbols(checkLength(draft.paymentSecret, 32))),
    ...field(BOLT11_FIELD.description, bytesToSymbols(new TextEncoder().encode(draft.description))),
    ...field(BOLT11_FIELD.features, FEATURES),
    ...(expiryS === undefined ? [] : field(BOLT11_FIELD.expiry, numberSymbols(expiryS))),
    ...(minFinalCltvDelta === undefined ? [] : field(BOLT11_FIELD.minFinalCltvDelta, numberSymbols(minFinalCltvDelta))),
  ];
  return signBolt11Symbols(`ln${CURRENCY[draft.network]}${amount}`, symbols, nodeSecretKey);
}

/** Signs any prefix and data symbols, well-formed or not. */
export function signBolt11Symbols(prefix: string, symbols: readonly number[], nodeSecretKey: Uint8Array): string {
  const { signature, recoveryId } = signEcdsa(bolt11SignedBytes(prefix, symbols), nodeSecretKey);
  return encodeBech32(prefix, [...symbols, ...bytesToSymbols(concatBytes(signature, Uint8Array.of(recoveryId)))]);
}

/** Type, length and data of a field. */
function field(type: number, data: readonly number[]): number[] {
  if (data.length > 1_023) throw new ArkError("OUT_OF_RANGE", `expected a field of at most 1023 symbols, got ${data.length}`);
  return [type, data.length >> 5, data.length & 31, ...data];
}

/** A big-endian number in 5-bit symbols, as few as it needs or exactly so many. */
function numberSymbols(value: bigint, length = Math.ceil(value.toString(2).length / 5)): number[] {
  return Array.from({ length }, (_, i) => Number((value >> BigInt(5 * (length - 1 - i))) & 31n));
}
