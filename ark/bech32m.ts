/**
 * The text layer of Ark addresses: BIP-350 with a limit of 1023 characters and lenient padding (vtxo.md §7.1); and of
 * Lightning invoices: BIP-173, longer.
 *
 * Ordinary bech32 libraries stop at 90 characters and refuse left-over bits, so they answer differently.
 */
import { ArkError } from "./errors.ts";

const SYMBOLS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const BECH32 = 1;
const BECH32M = 0x2bc830a3;
/** Symbols at the end of a text that are its checksum. */
export const CHECKSUM_SYMBOLS = 6;
const MAX_PREFIX = 83;

/** Longest text that can be read. */
export const MAX_BECH32M_LENGTH = 1023;

/** A text taken apart, its checksum not yet looked at. */
export interface Bech32mText {
  /** Lower case. */
  readonly prefix: string;
  /** 5-bit values, the checksum included. */
  readonly symbols: readonly number[];
}

/**
 * Splits a text at its last `1` and checks characters, case and length of the prefix: step 1 of vtxo.md §7.1.
 *
 * @throws ArkError `ADDRESS_BECH32`
 */
export function splitBech32m(text: string): Bech32mText {
  // Before any change of case: some letters beyond ASCII turn into ASCII ones.
  if (!/^[\x21-\x7e]*$/.test(text)) throw refused("printable ASCII", "another character");
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) throw refused("one letter case", "both");
  const separator = lower.lastIndexOf("1");
  if (separator < 1 || separator > MAX_PREFIX)
    throw refused(`a prefix of 1 … ${MAX_PREFIX} characters`, `${Math.max(separator, 0)}`);
  const prefix = lower.slice(0, separator);
  const symbols = Array.from(lower.slice(separator + 1), (character) => SYMBOLS.indexOf(character));
  if (symbols.includes(-1)) throw refused("bech32 characters only", "another character");
  return { prefix, symbols };
}

/**
 * Checks length and checksum and returns the symbols without the checksum: step 3 of vtxo.md §7.1.
 *
 * @throws ArkError `ADDRESS_BECH32`
 */
export function checkBech32m(text: Bech32mText): readonly number[] {
  const { prefix, symbols } = text;
  const length = prefix.length + 1 + symbols.length;
  if (length > MAX_BECH32M_LENGTH) throw refused(`at most ${MAX_BECH32M_LENGTH} characters`, `${length}`);
  if (symbols.length < CHECKSUM_SYMBOLS) throw refused(`at least ${CHECKSUM_SYMBOLS} symbols`, `${symbols.length}`);
  if (checksum(prefix, symbols) !== BECH32M) throw refused("a correct bech32m checksum", "a wrong one");
  return symbols.slice(0, -CHECKSUM_SYMBOLS);
}

/** Whether a text ends in the checksum of BIP-173, as invoices do. Its length is for the caller to bound. */
export function hasBech32Checksum(text: Bech32mText): boolean {
  return text.symbols.length >= CHECKSUM_SYMBOLS && checksum(text.prefix, text.symbols) === BECH32;
}

/** The lower-case text of a prefix and 5-bit symbols with the checksum of BIP-173, of any length. */
export function encodeBech32(prefix: string, symbols: readonly number[]): string {
  return encode(prefix, symbols, BECH32);
}

/** The lower-case text of a prefix and 5-bit symbols, of any length. */
export function encodeBech32m(prefix: string, symbols: readonly number[]): string {
  return encode(prefix, symbols, BECH32M);
}

function encode(prefix: string, symbols: readonly number[], constant: number): string {
  const remainder = checksum(prefix, [...symbols, 0, 0, 0, 0, 0, 0]) ^ constant;
  const tail = [25, 20, 15, 10, 5, 0].map((shift) => (remainder >>> shift) & 31);
  return `${prefix}1${[...symbols, ...tail].map((symbol) => SYMBOLS.charAt(symbol)).join("")}`;
}

/** Bytes of 5-bit symbols. Left-over bits, up to 7, are dropped unseen: step 5 of vtxo.md §7.1. */
export function symbolsToBytes(symbols: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.floor((symbols.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const symbol of symbols) {
    held = ((held << 5) | symbol) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return bytes;
}

/** 5-bit symbols of bytes, padded with zero bits. */
export function bytesToSymbols(bytes: Uint8Array): number[] {
  const symbols: number[] = [];
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      symbols.push((held >> bits) & 31);
    }
  }
  if (bits > 0) symbols.push((held << (5 - bits)) & 31);
  return symbols;
}

/** The polynomial remainder over prefix and symbols (BIP-173). */
function checksum(prefix: string, symbols: readonly number[]): number {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  let remainder = 1;
  for (const value of [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...symbols]) {
    const top = remainder >>> 25;
    remainder = ((remainder & 0x1ffffff) << 5) ^ value;
    GENERATOR.forEach((generator, bit) => {
      if ((top >> bit) & 1) remainder ^= generator;
    });
  }
  return remainder >>> 0;
}

function refused(expected: string, got: string): ArkError {
  return new ArkError("ADDRESS_BECH32", `expected ${expected}, got ${got}`);
}
