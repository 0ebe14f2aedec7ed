import { BoundedCache, cacheKey } from "./bounded-cache.ts";
import { compareBytes, equalBytes } from "./bytes.ts";
import { bytesToScalar, combinePoints, GROUP_ORDER, taggedHash } from "./crypto.ts";
import { ArkError } from "./errors.ts";

/** By the hash of the sorted list: every item of a chain aggregates the same few lists again. */
const aggregates = new BoundedCache<Uint8Array>(1_024);

/**
 * Aggregates compressed public keys as MuSig2 does: 33 bytes, parity included (vtxo.md §4.2, BIP-327).
 *
 * The order of the list does not matter, duplicates and parities do.
 *
 * @throws ArkError `EMPTY_COSIGNERS`, `BAD_PUBKEY`, `BAD_OUTPUT_KEY` when the sum is the point at infinity
 */
export function aggregateKeys(keys: readonly Uint8Array[]): Uint8Array {
  const list = keyList(keys);
  return aggregates.get(cacheKey(list.hash), () => {
    const aggregate = combinePoints(termsOf(list));
    if (aggregate === null) throw new ArkError("BAD_OUTPUT_KEY", "expected an aggregate on the curve, got infinity");
    return aggregate;
  });
}

/**
 * The public keys in sorted order, each with its coefficient in the aggregate (vtxo.md §4.2 steps 1 to 4).
 *
 * @throws ArkError `EMPTY_COSIGNERS`
 */
export function aggregationTerms(keys: readonly Uint8Array[]): AggregationTerm[] {
  return termsOf(keyList(keys));
}

/** A public key (33 bytes) and its coefficient. */
export interface AggregationTerm {
  readonly scalar: bigint;
  readonly point: Uint8Array;
}

interface KeyList {
  readonly sorted: readonly [Uint8Array, ...Uint8Array[]];
  readonly hash: Uint8Array;
}

function keyList(keys: readonly Uint8Array[]): KeyList {
  const [first, ...others] = keys.toSorted(compareBytes);
  if (first === undefined) throw new ArkError("EMPTY_COSIGNERS", "expected at least one public key, got none");
  return { sorted: [first, ...others], hash: taggedHash("KeyAgg list", first, ...others) };
}

function termsOf({ sorted, hash }: KeyList): AggregationTerm[] {
  const second = sorted.find((key) => !equalBytes(key, sorted[0]));
  return sorted.map((key) => ({ scalar: coefficient(hash, key, second), point: key }));
}

function coefficient(list: Uint8Array, key: Uint8Array, second: Uint8Array | undefined): bigint {
  if (second !== undefined && equalBytes(key, second)) return 1n;
  return bytesToScalar(taggedHash("KeyAgg coefficient", list, key)) % GROUP_ORDER;
}
