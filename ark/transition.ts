import type { ByteReader } from "./bytes.ts";
import { ByteWriter } from "./bytes.ts";
import { bytesToScalar, GROUP_ORDER, sha256 } from "./crypto.ts";
import { ArkError } from "./errors.ts";
import { checkLength } from "./limits.ts";
import { checkPublicKey, decodePublicKey, decodePublicKeyList, encodePublicKeyList } from "./public-key.ts";

/** Spends a tree output that all listed keys sign for together. */
export interface CosignedTransition {
  readonly kind: "cosigned";
  /** Compressed, at least one; every signer is listed, S is not added. The order is kept. */
  readonly pubkeys: readonly Uint8Array[];
  /** 64 bytes, or null while absent. */
  readonly signature: Uint8Array | null;
}

/** Spends a policy output that user and server sign for together: one step of an arkoor payment. */
export interface ArkoorTransition {
  readonly kind: "arkoor";
  /** Compressed, possibly none; S is added to them. The order is kept. */
  readonly clientCosigners: readonly Uint8Array[];
  /** 32 bytes below n, added as they are. */
  readonly tapTweak: Uint8Array;
  /** 64 bytes, or null while absent. */
  readonly signature: Uint8Array | null;
}

/** Spends the leaf of a round tree, with the server's unlock preimage. */
export interface HashLockedTransition {
  readonly kind: "hash-locked-cosigned" | "hash-locked-cosigned-v1";
  readonly userPubkey: Uint8Array;
  /** 64 bytes, or null while absent. */
  readonly signature: Uint8Array | null;
  /** 32 bytes: the unlock preimage, or its SHA-256 as long as only that is known. */
  readonly unlock: { readonly preimage: Uint8Array } | { readonly hash: Uint8Array };
}

/** How one exit transaction spends its input (vtxo.md §5). */
export type Transition = CosignedTransition | ArkoorTransition | HashLockedTransition;

/** The 32-byte SHA-256 value that locks a leaf (vtxo.md §5.1). */
export function unlockHash(transition: HashLockedTransition): Uint8Array {
  return "hash" in transition.unlock ? transition.unlock.hash : sha256(transition.unlock.preimage);
}

const SIGNATURE_BYTES = 64;
const PREIMAGE_KNOWN = 0;
const HASH_KNOWN = 1;

/**
 * Reads type byte and fields of a transition (vtxo.md §5.1).
 *
 * @throws ArkError `BAD_TRANSITION_TYPE`, `EMPTY_COSIGNERS`, `BAD_TWEAK`, `BAD_PREIMAGE_FLAG`, `BAD_PUBKEY`,
 * `OVERSIZED_LIST`, `NON_MINIMAL_SIZE`, `SHORT_INPUT`
 */
export function decodeTransition(reader: ByteReader): Transition {
  const type = reader.u8();
  switch (type) {
    case 1:
      return decodeCosigned(reader);
    case 2:
      return decodeArkoor(reader);
    case 3:
      return decodeHashLocked("hash-locked-cosigned", reader);
    case 4:
      return decodeHashLocked("hash-locked-cosigned-v1", reader);
    default:
      throw new ArkError("BAD_TRANSITION_TYPE", `expected a transition type of 1 to 4, got ${type}`);
  }
}

function decodeCosigned(reader: ByteReader): CosignedTransition {
  const pubkeys = checkCosigners(decodePublicKeyList(reader));
  return { kind: "cosigned", pubkeys, signature: decodeOptionalSignature(reader) };
}

function decodeArkoor(reader: ByteReader): ArkoorTransition {
  const clientCosigners = decodePublicKeyList(reader);
  const tapTweak = checkTweak(reader.bytes(32));
  return { kind: "arkoor", clientCosigners, tapTweak, signature: decodeOptionalSignature(reader) };
}

function decodeHashLocked(kind: HashLockedTransition["kind"], reader: ByteReader): HashLockedTransition {
  const userPubkey = decodePublicKey(reader);
  const signature = decodeOptionalSignature(reader);
  const flag = reader.u8();
  if (flag !== PREIMAGE_KNOWN && flag !== HASH_KNOWN) {
    throw new ArkError("BAD_PREIMAGE_FLAG", `expected 0 or 1 in front of preimage or hash, got ${flag}`);
  }
  const bytes = reader.bytes(32);
  return { kind, userPubkey, signature, unlock: flag === PREIMAGE_KNOWN ? { preimage: bytes } : { hash: bytes } };
}

/** 64 zero bytes stand for an absent signature; there is no flag (vtxo.md §1.1). */
function decodeOptionalSignature(reader: ByteReader): Uint8Array | null {
  const bytes = reader.bytes(SIGNATURE_BYTES);
  return bytes.some((byte) => byte !== 0) ? bytes : null;
}

/**
 * The counterpart of {@link decodeTransition}.
 *
 * @throws ArkError `EMPTY_COSIGNERS`, `BAD_TWEAK`, `BAD_PUBKEY`, `OVERSIZED_LIST`, `OUT_OF_RANGE`
 */
export function encodeTransition(transition: Transition): Uint8Array {
  const writer = new ByteWriter();
  const signature = checkLength(transition.signature ?? new Uint8Array(SIGNATURE_BYTES), SIGNATURE_BYTES);
  switch (transition.kind) {
    case "cosigned":
      return writer
        .u8(1)
        .bytes(encodePublicKeyList(checkCosigners(transition.pubkeys)))
        .bytes(signature)
        .finish();
    case "arkoor":
      return writer
        .u8(2)
        .bytes(encodePublicKeyList(transition.clientCosigners))
        .bytes(checkTweak(transition.tapTweak))
        .bytes(signature)
        .finish();
    case "hash-locked-cosigned":
    case "hash-locked-cosigned-v1":
      writer.u8(transition.kind === "hash-locked-cosigned" ? 3 : 4);
      writer.bytes(checkPublicKey(transition.userPubkey)).bytes(signature);
      if ("preimage" in transition.unlock) writer.u8(PREIMAGE_KNOWN).bytes(checkLength(transition.unlock.preimage, 32));
      else writer.u8(HASH_KNOWN).bytes(checkLength(transition.unlock.hash, 32));
      return writer.finish();
  }
}

function checkCosigners(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  if (keys.length === 0) throw new ArkError("EMPTY_COSIGNERS", "expected at least one cosigner, got none");
  return keys;
}

function checkTweak(tapTweak: Uint8Array): Uint8Array {
  if (bytesToScalar(checkLength(tapTweak, 32)) >= GROUP_ORDER) {
    throw new ArkError("BAD_TWEAK", "expected a tap tweak below the group order, got a larger one");
  }
  return tapTweak;
}
