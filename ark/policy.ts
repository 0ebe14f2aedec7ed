import type { ByteReader } from "./bytes.ts";
import { ByteWriter } from "./bytes.ts";
import { ArkError } from "./errors.ts";
import { checkDelta, checkHeight, checkLength } from "./limits.ts";
import { checkPublicKey, checkXOnlyKey, decodePublicKey } from "./public-key.ts";

/** The kind strings of vtxo.md §4.1; the position is the type byte. Mind the order of `08` and `09`. */
const KINDS = [
  "pubkey",
  "server-htlc-send",
  "server-htlc-receive",
  "checkpoint",
  "expiry",
  "hark-leaf",
  "hark-forfeit",
  "server-owned",
  "server-htlc-receive-v1",
  "server-htlc-send-v1",
  "hark-leaf-v1",
  "hark-forfeit-v1",
] as const;

/** Names a policy, as vtxo.md §4.1 does. */
export type PolicyKind = (typeof KINDS)[number];

/** Money of one user. */
export interface PubkeyPolicy {
  readonly kind: "pubkey";
  /** Compressed, 33 bytes. */
  readonly userPubkey: Uint8Array;
}

/** A Lightning payment of the user that waits for its preimage. */
export interface HtlcSendPolicy {
  readonly kind: "server-htlc-send" | "server-htlc-send-v1";
  readonly userPubkey: Uint8Array;
  /** SHA-256 of the Lightning preimage, 32 bytes. */
  readonly paymentHash: Uint8Array;
  readonly htlcExpiryHeight: number;
}

/** A Lightning payment to the user that waits for its claim. */
export interface HtlcReceivePolicy {
  readonly kind: "server-htlc-receive" | "server-htlc-receive-v1";
  readonly userPubkey: Uint8Array;
  /** SHA-256 of the Lightning preimage, 32 bytes. */
  readonly paymentHash: Uint8Array;
  readonly htlcExpiryHeight: number;
  /** In blocks. */
  readonly htlcExpiryDelta: number;
}

/** The intermediate output of an arkoor payment. */
export interface CheckpointPolicy {
  readonly kind: "checkpoint";
  readonly userPubkey: Uint8Array;
}

/** An output that falls to the server at expiry. */
export interface ExpiryPolicy {
  readonly kind: "expiry";
  /** x-only, 32 bytes. */
  readonly internalKey: Uint8Array;
}

/** The leaf of a round tree, locked by a hash until its forfeit is settled. */
export interface HarkLeafPolicy {
  readonly kind: "hark-leaf" | "hark-leaf-v1";
  readonly userPubkey: Uint8Array;
  /** SHA-256 of the unlock preimage, 32 bytes. */
  readonly unlockHash: Uint8Array;
}

/** The output to which a VTXO is forfeited in a round. */
export interface HarkForfeitPolicy {
  readonly kind: "hark-forfeit" | "hark-forfeit-v1";
  readonly userPubkey: Uint8Array;
  /** SHA-256 of the unlock preimage, 32 bytes. */
  readonly unlockHash: Uint8Array;
}

/** Money of the server. */
export interface ServerOwnedPolicy {
  readonly kind: "server-owned";
}

/** A policy that a user's VTXO or an address may have (vtxo.md §4.1). */
export type UserPolicy = PubkeyPolicy | HtlcSendPolicy | HtlcReceivePolicy;

/** Who may spend an output, and how (vtxo.md §4). */
export type Policy = UserPolicy | CheckpointPolicy | ExpiryPolicy | HarkLeafPolicy | HarkForfeitPolicy | ServerOwnedPolicy;

/** Whether a user's VTXO or an address may have this policy. */
export function isUserPolicy(policy: Policy): policy is UserPolicy {
  return isUserKind(policy.kind);
}

function isUserKind(kind: PolicyKind): kind is UserPolicy["kind"] {
  switch (kind) {
    case "pubkey":
    case "server-htlc-send":
    case "server-htlc-send-v1":
    case "server-htlc-receive":
    case "server-htlc-receive-v1":
      return true;
    default:
      return false;
  }
}

/**
 * Reads any policy, as a server tracks them: type byte ‖ payload (vtxo.md §4.1).
 *
 * @throws ArkError `BAD_POLICY_TYPE`, `BAD_PUBKEY`, `BAD_HEIGHT`, `BAD_DELTA`, `SHORT_INPUT`
 */
export function decodePolicy(reader: ByteReader): Policy {
  const type = reader.u8();
  const kind = KINDS[type];
  if (kind === undefined) throw new ArkError("BAD_POLICY_TYPE", `expected a policy type of at most 11, got ${type}`);
  if (isUserKind(kind)) return decodeUserPayload(kind, reader);
  switch (kind) {
    case "checkpoint":
      return { kind, userPubkey: decodePublicKey(reader) };
    case "expiry":
      return { kind, internalKey: checkXOnlyKey(reader.bytes(32)) };
    case "hark-leaf":
    case "hark-leaf-v1":
      return { kind, userPubkey: decodePublicKey(reader), unlockHash: reader.bytes(32) };
    case "hark-forfeit":
    case "hark-forfeit-v1":
      return { kind, userPubkey: decodePublicKey(reader), unlockHash: reader.bytes(32) };
    case "server-owned":
      return { kind };
  }
}

/**
 * Reads a policy of a user's VTXO or of an address; the type is refused before its payload is read (vtxo.md §4.1).
 *
 * @throws ArkError `BAD_POLICY_TYPE`, `BAD_PUBKEY`, `BAD_HEIGHT`, `BAD_DELTA`, `SHORT_INPUT`
 */
export function decodeUserPolicy(reader: ByteReader): UserPolicy {
  const type = reader.u8();
  const kind = KINDS[type];
  if (kind === undefined || !isUserKind(kind)) {
    throw new ArkError("BAD_POLICY_TYPE", `expected the policy type of a user, got ${type}`);
  }
  return decodeUserPayload(kind, reader);
}

function decodeUserPayload(kind: UserPolicy["kind"], reader: ByteReader): UserPolicy {
  const userPubkey = decodePublicKey(reader);
  if (kind === "pubkey") return { kind, userPubkey };
  const paymentHash = reader.bytes(32);
  const htlcExpiryHeight = checkHeight(reader.u32());
  if (kind === "server-htlc-send" || kind === "server-htlc-send-v1") return { kind, userPubkey, paymentHash, htlcExpiryHeight };
  return { kind, userPubkey, paymentHash, htlcExpiryHeight, htlcExpiryDelta: checkDelta(reader.u16()) };
}

/**
 * Type byte ‖ payload of a policy (vtxo.md §4.1).
 *
 * @throws ArkError `BAD_PUBKEY`, `BAD_HEIGHT`, `BAD_DELTA`, `OUT_OF_RANGE`
 */
export function encodePolicy(policy: Policy): Uint8Array {
  const writer = new ByteWriter().u8(KINDS.indexOf(policy.kind));
  if (policy.kind === "server-owned") return writer.finish();
  if (policy.kind === "expiry") return writer.bytes(checkXOnlyKey(policy.internalKey)).finish();
  writer.bytes(checkPublicKey(policy.userPubkey));
  if ("unlockHash" in policy) writer.bytes(checkLength(policy.unlockHash, 32));
  if ("paymentHash" in policy) writer.bytes(checkLength(policy.paymentHash, 32)).u32(checkHeight(policy.htlcExpiryHeight));
  if ("htlcExpiryDelta" in policy) writer.u16(checkDelta(policy.htlcExpiryDelta));
  return writer.finish();
}
