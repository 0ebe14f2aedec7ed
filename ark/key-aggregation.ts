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
  const sorted = keys.toSorted(compareBytes);
  const first = sorted[0];
  if (first === undefined) throw new ArkError("EMPTY_COSIGNERS", "expected at least one public key, got none");
  const list = taggedHash("KeyAgg list", ...sorted);
  return aggregates.get(cacheKey(list), () => {
    const second = sorted.find((key) => !equalBytes(key, first));
    const terms = sorted.map((key) => ({ scalar: coefficient(list, key, second), point: key }));
    const aggregate = combinePoints(terms);
    if (aggregate === null) throw new ArkError("BAD_OUTPUT_KEY", "expected an aggregate on the curve, got infinity");
    return aggregate;
  });
}

function coefficient(list: Uint8Array, key: Uint8Array, second: Uint8Array | undefined): bigint {
  if (second !== undefined && equalBytes(key, second)) return 1n;
  return bytesToScalar(taggedHash("KeyAgg coefficient", list, key)) % GROUP_ORDER;
}
