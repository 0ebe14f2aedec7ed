import type { ByteReader } from "./bytes.ts";
import { ByteWriter } from "./bytes.ts";
import { isValidPublicKey, liftX } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { checkListLength, decodeListLength } from "./limits.ts";

/** Most public keys in one list (vtxo.md §1.4). */
const MAX_PUBLIC_KEYS = 62_500;

/**
 * Passes a compressed public key on: 33 bytes, `02` or `03`, on the curve (vtxo.md §1.1).
 *
 * @throws ArkError `BAD_PUBKEY`
 */
export function checkPublicKey(publicKey: Uint8Array): Uint8Array {
  if (!isValidPublicKey(publicKey)) {
    throw new ArkError("BAD_PUBKEY", `expected a compressed point of the curve, got ${publicKey.length} other bytes`);
  }
  return publicKey;
}

/**
 * Passes an x-only key on: 32 bytes, the x coordinate of a point of the curve (vtxo.md §1.1).
 *
 * @throws ArkError `BAD_PUBKEY`
 */
export function checkXOnlyKey(key: Uint8Array): Uint8Array {
  liftX(key);
  return key;
}

/** @throws ArkError `BAD_PUBKEY`, `SHORT_INPUT` */
export function decodePublicKey(reader: ByteReader): Uint8Array {
  return checkPublicKey(reader.bytes(33));
}

/**
 * Reads a list of public keys; their order is kept (vtxo.md §1.4).
 *
 * @throws ArkError `OVERSIZED_LIST`, `NON_MINIMAL_SIZE`, `BAD_PUBKEY`, `SHORT_INPUT`
 */
export function decodePublicKeyList(reader: ByteReader): Uint8Array[] {
  const count = decodeListLength(reader, MAX_PUBLIC_KEYS);
  const keys: Uint8Array[] = [];
  for (let i = 0; i < count; i++) keys.push(decodePublicKey(reader));
  return keys;
}

/** The counterpart of {@link decodePublicKeyList}; @throws ArkError `OVERSIZED_LIST`, `BAD_PUBKEY` */
export function encodePublicKeyList(keys: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter().compactSize(checkListLength(keys.length, MAX_PUBLIC_KEYS));
  for (const key of keys) writer.bytes(checkPublicKey(key));
  return writer.finish();
}
