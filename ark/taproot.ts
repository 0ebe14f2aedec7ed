import { BoundedCache, cacheKey } from "./bounded-cache.ts";
import { ByteWriter, compareBytes, concatBytes } from "./bytes.ts";
import { addBaseMultiple, bytesToScalar, GROUP_ORDER, hasEvenY, liftX, taggedHash, xOnly } from "./crypto.ts";
import { ArkError } from "./errors.ts";

/** Version of every leaf script (BIP-341). */
const LEAF_VERSION = 0xc0;

/** A leaf of a script tree. */
export interface TapLeaf {
  readonly script: Uint8Array;
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** 33 bytes, or 65 with a sibling: the last element of a witness that reveals the leaf. */
  readonly controlBlock: Uint8Array;
}

/** A taproot output and all that is needed to spend it (vtxo.md §4.6). */
export interface TaprootOutput {
  /** x-only, 32 bytes. */
  readonly internalKey: Uint8Array;
  /** In the order in which the scripts were given; that order does not affect the output. */
  readonly leaves: readonly TapLeaf[];
  /** 32 bytes, or null without leaves. */
  readonly merkleRoot: Uint8Array | null;
  /** 32 bytes. */
  readonly tapTweak: Uint8Array;
  /** Compressed, 33 bytes. */
  readonly outputKey: Uint8Array;
  /** `51` `20` and the x-only output key: 34 bytes. */
  readonly script: Uint8Array;
}

/** Hash of a leaf script: 32 bytes (BIP-341). */
function tapLeafHash(script: Uint8Array): Uint8Array {
  return taggedHash("TapLeaf", new ByteWriter().u8(LEAF_VERSION).compactSize(script.length).bytes(script).finish());
}

/** The output script of a taproot output key (33 bytes compressed): 34 bytes. */
export function taprootScript(outputKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0x51, 0x20), xOnly(outputKey));
}

/** By key and tweak: VTXOs of one tree or one payment share most of the outputs on their way. */
const outputKeys = new BoundedCache<Uint8Array>(1_024);

/**
 * Adds a tweak to the even point of an x coordinate: P' + tweak·G, compressed (vtxo.md §4.6 step 4).
 *
 * @throws ArkError `BAD_OUTPUT_KEY` when the sum is the point at infinity or the tweak is not below n; `BAD_PUBKEY`
 */
export function tweakKey(internalKey: Uint8Array, tweak: Uint8Array): Uint8Array {
  return outputKeys.get(cacheKey(internalKey, tweak), () => {
    const scalar = bytesToScalar(tweak);
    const outputKey = scalar < GROUP_ORDER ? addBaseMultiple(liftX(internalKey), scalar) : null;
    if (outputKey === null) throw new ArkError("BAD_OUTPUT_KEY", "expected an output key on the curve, got none");
    return outputKey;
  });
}

/**
 * Builds the output of an internal key (x-only, 32 bytes) with no, one or two leaf scripts (vtxo.md §4.6).
 *
 * @throws ArkError `BAD_PUBKEY`, `BAD_OUTPUT_KEY`
 */
export function taprootOutput(
  internalKey: Uint8Array,
  scripts: readonly [] | readonly [Uint8Array] | readonly [Uint8Array, Uint8Array],
): TaprootOutput {
  const hashes = scripts.map(tapLeafHash);
  const merkleRoot = rootOf(hashes);
  const tapTweak = taggedHash("TapTweak", internalKey, ...(merkleRoot === null ? [] : [merkleRoot]));
  const outputKey = tweakKey(internalKey, tapTweak);
  const head = Uint8Array.of(LEAF_VERSION | (hasEvenY(outputKey) ? 0 : 1));
  const leaves = hashes.map((hash, i) => ({
    script: scripts[i] as Uint8Array,
    hash,
    controlBlock: concatBytes(head, internalKey, ...hashes.filter((_, other) => other !== i)),
  }));
  return { internalKey, leaves, merkleRoot, tapTweak, outputKey, script: taprootScript(outputKey) };
}

function rootOf(hashes: readonly Uint8Array[]): Uint8Array | null {
  const [one, other] = hashes.toSorted(compareBytes);
  if (one === undefined) return null;
  return other === undefined ? one : taggedHash("TapBranch", one, other);
}
