import { ArkError } from "./errors.ts";

const DIGITS = /^[0-9a-fA-F]*$/;

/** Lower-case hex of bytes. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/**
 * Bytes of a hex text of either case (vtxo.md §1.5).
 *
 * @throws ArkError `BAD_HEX` on an odd number of digits or any other character.
 */
export function decodeHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new ArkError("BAD_HEX", `expected an even number of hex digits, got ${text.length}`);
  if (!DIGITS.test(text)) throw new ArkError("BAD_HEX", "expected hex digits only, got another character");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
