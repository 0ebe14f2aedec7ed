import { sha256 } from "../ark/crypto.ts";

/** Length of a {@link nameKey}, in bytes. */
export const NAME_KEY_BYTES = 16;

const text = new TextEncoder();

/** The key of a name, as an instance's or a VTXO's id, in an index: the first bytes of its SHA-256. */
export function nameKey(name: string): Uint8Array {
  return sha256(text.encode(name)).slice(0, NAME_KEY_BYTES);
}
