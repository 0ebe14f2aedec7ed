/**
 * The one small interface to the cryptography libraries: everything else in this folder calls these functions.
 *
 * A point is its 33-byte compressed encoding; a result at infinity is `null`, never a thrown library error.
 */

import { hmac } from "@noble/hashes/hmac.js";
import { ripemd160 as nobleRipemd160 } from "@noble/hashes/legacy.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { hashes, Point, recoverPublicKey, schnorr, sign, utils, verify } from "@noble/secp256k1";
import { BoundedCache, cacheKey } from "./bounded-cache.ts";
import { concatBytes } from "./bytes.ts";
import { ArkError } from "./errors.ts";
import { sumOfMultiples } from "./multi-scalar.ts";

hashes.sha256 = nobleSha256;
hashes.hmacSha256 = (key, message) => hmac(nobleSha256, key, message);

/** Order of the secp256k1 group: scalars are reduced modulo this number. */
export const GROUP_ORDER = Point.CURVE().n;

/** SHA-256 of the parts back to back: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...more] = parts;
  return nobleSha256(first === undefined || more.length > 0 ? concatBytes(...parts) : first);
}

/** SHA-256 of SHA-256, as Bitcoin transaction ids use it: 32 bytes. */
export function doubleSha256(...parts: readonly Uint8Array[]): Uint8Array {
  return nobleSha256(sha256(...parts));
}

/** HMAC-SHA256 of the parts back to back: 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = hmac.create(nobleSha256, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** RIPEMD-160: 20 bytes. */
export function ripemd160(bytes: Uint8Array): Uint8Array {
  return nobleRipemd160(bytes);
}

const tagPrefixes = new BoundedCache<Uint8Array>(64);

/** Tagged hash of the parts back to back (BIP-340): 32 bytes. `tag` is ASCII. */
export function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const prefix = tagPrefixes.get(tag, () => {
    const tagHash = nobleSha256(new TextEncoder().encode(tag));
    return concatBytes(tagHash, tagHash);
  });
  return sha256(prefix, ...parts);
}

// ---- keys and points

const decompressed = new BoundedCache<Point>(1_024);

/** Finding y costs a square root; a chain of genesis items repeats the same few keys many times. */
function decompress(point: Uint8Array): Point {
  return decompressed.get(cacheKey(point), () => {
    if (point.length !== 33) throw new ArkError("BAD_PUBKEY", `expected 33 bytes, got ${point.length}`);
    try {
      return Point.fromBytes(point);
    } catch (cause) {
      throw new ArkError("BAD_PUBKEY", "expected a compressed curve point, got other bytes", { cause });
    }
  });
}

/** The library's own encoder checks the curve equation of its own result: a second inversion that buys nothing. */
function compress(point: Point): Uint8Array | null {
  if (point.is0()) return null;
  const { x, y } = point.toAffine();
  return concatBytes(Uint8Array.of(y % 2n === 0n ? 2 : 3), scalarToBytes(x));
}

/** Whether 33 bytes are a compressed point of the curve (vtxo.md §1.1). */
export function isValidPublicKey(publicKey: Uint8Array): boolean {
  try {
    decompress(publicKey);
    return true;
  } catch {
    return false;
  }
}

/** Whether 32 bytes are a secret key: 1 … n − 1, big endian. */
export function isValidSecretKey(secretKey: Uint8Array): boolean {
  return secretKey.length === 32 && utils.isValidSecretKey(secretKey);
}

/**
 * The compressed public key of a 32-byte secret key.
 *
 * @throws ArkError `BAD_SECRET_KEY`
 */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  return Point.BASE.multiply(secretScalar(secretKey)).toBytes(true);
}

/** The x-only form of a point: its 32-byte x coordinate, parity dropped (BIP-340). */
export function xOnly(point: Uint8Array): Uint8Array {
  return Uint8Array.from(point.subarray(1));
}

/**
 * The point with an even y and the given 32-byte x coordinate (BIP-340).
 *
 * @throws ArkError `BAD_PUBKEY` when no such point exists
 */
export function liftX(x: Uint8Array): Uint8Array {
  const point = concatBytes(Uint8Array.of(2), x);
  decompress(point);
  return point;
}

/** Whether y of a compressed point is even. */
export function hasEvenY(point: Uint8Array): boolean {
  return point[0] === 2;
}

/** The point −P of a compressed point P. */
export function negatePoint(point: Uint8Array): Uint8Array {
  const negated = Uint8Array.from(point);
  negated[0] = hasEvenY(point) ? 3 : 2;
  return negated;
}

/**
 * The sum of points, `null` at infinity.
 *
 * @throws ArkError `BAD_PUBKEY`
 */
export function addPoints(...points: readonly Uint8Array[]): Uint8Array | null {
  return compress(points.reduce((sum, point) => sum.add(decompress(point)), Point.ZERO));
}

/**
 * Σ scalar·point in variable time, `null` at infinity: for public scalars only, each in 0 … n − 1.
 *
 * @throws ArkError `BAD_PUBKEY`
 */
export function combinePoints(terms: readonly { readonly scalar: bigint; readonly point: Uint8Array }[]): Uint8Array | null {
  return compress(sumOfMultiples(terms.map(({ scalar, point }) => ({ scalar, point: decompress(point) }))));
}

/**
 * P + scalar·G in variable time, `null` at infinity: for public scalars only, in 0 … n − 1.
 *
 * @throws ArkError `BAD_PUBKEY`
 */
export function addBaseMultiple(point: Uint8Array, scalar: bigint): Uint8Array | null {
  return compress(decompress(point).add(Point.BASE.multiplyUnsafe(scalar)));
}

/**
 * secret·P, hardened against timing: the shared point of a Diffie-Hellman exchange, compressed and unhashed.
 *
 * @throws ArkError `BAD_PUBKEY`, `BAD_SECRET_KEY`
 */
export function multiplyPoint(point: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return decompress(point).multiply(secretScalar(secretKey)).toBytes(true);
}

function secretScalar(secretKey: Uint8Array): bigint {
  if (!isValidSecretKey(secretKey)) throw new ArkError("BAD_SECRET_KEY", "expected 32 bytes in 1 … n − 1, got others");
  return bytesToScalar(secretKey);
}

/** The integer of big-endian bytes, not reduced. */
export function bytesToScalar(bytes: Uint8Array): bigint {
  let value = 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  for (; offset + 8 <= bytes.length; offset += 8) value = (value << 64n) | view.getBigUint64(offset);
  for (; offset < bytes.length; offset++) value = (value << 8n) | BigInt(view.getUint8(offset));
  return value;
}

/** 32 big-endian bytes of 0 … 2^256 − 1. */
export function scalarToBytes(scalar: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word++) view.setBigUint64(8 * word, BigInt.asUintN(64, scalar >> BigInt(192 - 64 * word)));
  return bytes;
}

// ---- signatures

/** Verifies BIP-340 signatures. */
export interface SignatureVerifier {
  /**
   * Whether 64 bytes are a signature of `message` under a 32-byte x-only key. Never throws: a wrong length, an r or s
   * out of range or a key off the curve answers `false` (vtxo.md §11.7).
   */
  verifySchnorr(signature: Uint8Array, message: Uint8Array, xOnlyKey: Uint8Array): boolean;
}

const nobleVerifier: SignatureVerifier = {
  verifySchnorr(signature, message, xOnlyKey) {
    if (signature.length !== 64 || xOnlyKey.length !== 32) return false;
    return schnorr.verify(signature, message, xOnlyKey);
  },
};

/** How many verdicts the default verifier remembers. */
const VERDICTS_REMEMBERED = 8_192;

/** Wraps a verifier so that it is asked once for equal inputs: siblings of a tree share most of their chain. */
export function memoiseVerifier(verifier: SignatureVerifier, capacity: number = VERDICTS_REMEMBERED): SignatureVerifier {
  const verdicts = new BoundedCache<boolean>(capacity);
  return {
    verifySchnorr(signature, message, xOnlyKey) {
      if (signature.length !== 64 || xOnlyKey.length !== 32) return false;
      return verdicts.get(cacheKey(signature, xOnlyKey, message), () => verifier.verifySchnorr(signature, message, xOnlyKey));
    },
  };
}

let currentVerifier = memoiseVerifier(nobleVerifier);

/** Replaces the verifier of the whole process, say by a native one, and returns the former one. */
export function setSignatureVerifier(verifier: SignatureVerifier): SignatureVerifier {
  const former = currentVerifier;
  currentVerifier = verifier;
  return former;
}

/** Whether a BIP-340 signature is valid, by the current {@link SignatureVerifier}. Never throws. */
export function verifySchnorr(signature: Uint8Array, message: Uint8Array, xOnlyKey: Uint8Array): boolean {
  return currentVerifier.verifySchnorr(signature, message, xOnlyKey);
}

/**
 * A 64-byte BIP-340 signature of a 32-byte message; `auxRand` are 32 bytes of randomness of the caller.
 *
 * @throws ArkError `BAD_SECRET_KEY`
 */
export function signSchnorr(message: Uint8Array, secretKey: Uint8Array, auxRand: Uint8Array): Uint8Array {
  if (!isValidSecretKey(secretKey)) throw new ArkError("BAD_SECRET_KEY", "expected 32 bytes in 1 … n − 1, got others");
  return schnorr.sign(message, secretKey, auxRand);
}

/**
 * Whether 64 bytes are an ECDSA signature of a message's SHA-256 under a compressed key. Never throws; a high s is
 * accepted, as in Lightning invoices.
 */
export function verifyEcdsa(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  return verify(signature, message, publicKey, { lowS: false });
}

/**
 * The compressed key under which 64 bytes are an ECDSA signature of a message's SHA-256; `null` when there is none.
 *
 * @param recoveryId 0 … 3, which of the possible keys it is.
 */
export function recoverEcdsaKey(signature: Uint8Array, recoveryId: number, message: Uint8Array): Uint8Array | null {
  try {
    return recoverPublicKey(concatBytes(Uint8Array.of(recoveryId), signature), message);
  } catch {
    return null;
  }
}

/**
 * A deterministic ECDSA signature of a message's SHA-256: 64 bytes, and the recovery id.
 *
 * @throws ArkError `BAD_SECRET_KEY`
 */
export function signEcdsa(message: Uint8Array, secretKey: Uint8Array): { signature: Uint8Array; recoveryId: number } {
  if (!isValidSecretKey(secretKey)) throw new ArkError("BAD_SECRET_KEY", "expected 32 bytes in 1 … n − 1, got others");
  const recovered = sign(message, secretKey, { format: "recovered" });
  return { signature: recovered.slice(1), recoveryId: recovered[0] ?? 0 };
}
