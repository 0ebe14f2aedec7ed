/** The shapes in which a secret could leak, and the search for them. */
import { bytesToSymbols } from "../../ark/bech32m.ts";

const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** A secret in one shape. */
export interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Every shape of a secret: raw, and as text in hex (both byte orders and cases), base64 and base64url (wherever it begins
 * within three bytes), bech32 (wherever it begins within five bits) and, each of them, in UTF-16.
 */
export function needlesOf(name: string, secret: Uint8Array): Needle[] {
  const hex = [secret, Uint8Array.from(secret).reverse()].map((bytes) => Buffer.from(bytes).toString("hex"));
  const texts = [
    ...hex.map((text, index) => [`hex ${index}`, text] as const),
    ...hex.map((text, index) => [`HEX ${index}`, text.toUpperCase()] as const),
    ...(["base64", "base64url"] as const).flatMap((encoding) =>
      [0, 1, 2].map((offset) => [`${encoding} ${offset}`, base64(secret, encoding, offset)] as const),
    ),
    ...[0, 1, 2, 3, 4].map((offset) => [`bech32 ${offset}`, bech32(secret, offset)] as const),
  ];
  return [
    { name: `${name}, raw`, bytes: Buffer.from(secret) },
    ...texts.flatMap(([shape, text]) => textNeedles(`${name}, ${shape}`, text)),
  ];
}

/** A text in UTF-8 and both byte orders of UTF-16. */
export function textNeedles(name: string, text: string): Needle[] {
  const utf16 = Buffer.from(text, "utf16le");
  return [
    { name, bytes: Buffer.from(text) },
    { name: `${name}, UTF-16LE`, bytes: utf16 },
    { name: `${name}, UTF-16BE`, bytes: Buffer.from(utf16).swap16() },
  ];
}

/** Names of the needles that are somewhere in the hay. */
export function found(needles: readonly Needle[], hay: Uint8Array): string[] {
  const buffer = Buffer.from(hay.buffer, hay.byteOffset, hay.byteLength);
  return needles.filter(({ bytes }) => buffer.includes(bytes)).map(({ name }) => name);
}

/** The characters that depend on the secret alone where it begins at that byte of a group of three. */
function base64(secret: Uint8Array, encoding: "base64" | "base64url", offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), secret])
    .toString(encoding)
    .replaceAll("=", "");
  const whole = Math.floor(((offset + secret.length) * 8) / 6);
  return text.slice(Math.ceil((offset * 8) / 6), whole);
}

/** As above, for groups of five bits: `offset` whole bytes stand before the secret. */
function bech32(secret: Uint8Array, offset: number): string {
  const symbols = bytesToSymbols(Buffer.concat([Buffer.alloc(offset), secret]));
  const whole = Math.floor(((offset + secret.length) * 8) / 5);
  return symbols
    .slice(Math.ceil((offset * 8) / 5), whole)
    .map((symbol) => BECH32[symbol])
    .join("");
}
