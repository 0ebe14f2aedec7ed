import { ByteWriter, concatBytes } from "./bytes.ts";
import { ripemd160, xOnly } from "./crypto.ts";

/** Two generations of hash-locked scripts; v1 forces the preimage to be 32 bytes (vtxo.md §4.4). */
export type HashLockVersion = "v0" | "v1";

const EQUALVERIFY = 0x88;
const HASH160 = 0xa9;
const DROP = 0x75;
const CHECKSIG = 0xac;
const CHECKLOCKTIMEVERIFY = 0xb1;
const CHECKSEQUENCEVERIFY = 0xb2;
/** SIZE, push of the number 32, EQUALVERIFY. */
const SIZE_IS_32 = Uint8Array.of(0x82, 0x01, 0x20, EQUALVERIFY);

/** The push of a non-negative integer, N(v) of vtxo.md §4.3. */
export function numberPush(value: number): Uint8Array {
  if (value === 0) return Uint8Array.of(0x00);
  if (value <= 16) return Uint8Array.of(0x50 + value);
  const magnitude: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) magnitude.push(rest % 256);
  // The top bit is the sign: a magnitude that uses it needs one more byte.
  if ((magnitude.at(-1) ?? 0) >= 0x80) magnitude.push(0);
  return Uint8Array.of(magnitude.length, ...magnitude);
}

/** DELAY(d, K): K alone, `delay` blocks after confirmation (vtxo.md §4.4). */
export function delayScript(delay: number, key: Uint8Array): Uint8Array {
  return concatBytes(afterDelay(delay), signedBy(key));
}

/** HEIGHT(t, K): K alone, from a block height on (vtxo.md §4.4). */
export function heightScript(height: number, key: Uint8Array): Uint8Array {
  return concatBytes(fromHeight(height), signedBy(key));
}

/** HEIGHT_DELAY(t, d, K): both of the above (vtxo.md §4.4). */
export function heightDelayScript(height: number, delay: number, key: Uint8Array): Uint8Array {
  return concatBytes(fromHeight(height), afterDelay(delay), signedBy(key));
}

/** HASH(h, K): K with the preimage of a SHA-256 hash (vtxo.md §4.4). */
export function hashScript(version: HashLockVersion, hash: Uint8Array, key: Uint8Array): Uint8Array {
  return concatBytes(withPreimage(version, hash), signedBy(key));
}

/** HASH_DELAY(h, d, K): the preimage and a delay (vtxo.md §4.4). */
export function hashDelayScript(version: HashLockVersion, hash: Uint8Array, delay: number, key: Uint8Array): Uint8Array {
  return concatBytes(afterDelay(delay), withPreimage(version, hash), signedBy(key));
}

function afterDelay(delay: number): Uint8Array {
  return concatBytes(numberPush(delay), Uint8Array.of(CHECKSEQUENCEVERIFY, DROP));
}

function fromHeight(height: number): Uint8Array {
  return concatBytes(numberPush(height), Uint8Array.of(CHECKLOCKTIMEVERIFY, DROP));
}

/** The script holds the RIPEMD-160 of the SHA-256 value, so that HASH160 of the preimage matches (vtxo.md §11.11). */
function withPreimage(version: HashLockVersion, hash: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  if (version === "v1") writer.bytes(SIZE_IS_32);
  return writer.u8(HASH160).u8(20).bytes(ripemd160(hash)).u8(EQUALVERIFY).finish();
}

function signedBy(key: Uint8Array): Uint8Array {
  return new ByteWriter().u8(32).bytes(xOnly(key)).u8(CHECKSIG).finish();
}
