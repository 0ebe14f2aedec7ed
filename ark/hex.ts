import { ArkError } from "./errors.ts";

const DIGITS = /^[0-9a-fA-F]*$/;
/** The two digits of each byte. */
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hex of bytes. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += PAIRS[byte];
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
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digitAt(text, 2 * i) + digitAt(text, 2 * i + 1);
  return bytes;
}

/** The value of a character that is a digit; of letters the lower five bits are 1 to 6 in either case. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x40 ? code - 0x30 : (code & 0x1f) + 9;
}
