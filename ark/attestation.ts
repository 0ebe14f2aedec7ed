/** Proofs that the holder of a VTXO asked for something (arkoor.md §7). */
import type { Destination } from "./arkoor-allocation.ts";
import { ByteWriter, concatBytes } from "./bytes.ts";
import { sha256, signSchnorr, verifySchnorr, xOnly } from "./crypto.ts";
import { checkLength } from "./limits.ts";
import { encodePolicy } from "./policy.ts";
import { encodeTxOutput, type TxOutput } from "./tx-output.ts";
import { encodeVtxoId, type VtxoId } from "./vtxo-id.ts";

/** A destination of an interactive round, with the key that cosigns its branch of the tree. */
export interface RoundDestination extends Destination {
  /** Compressed, 33 bytes. */
  readonly cosignPubkey: Uint8Array;
}

/** What is attested; each kind has a digest of its own. */
export type Attestation =
  | { readonly kind: "arkoor-cosign"; readonly vtxoId: VtxoId; readonly destinations: readonly Destination[] }
  | { readonly kind: "lightning-receive"; readonly vtxoId: VtxoId; readonly paymentHash: Uint8Array }
  | { readonly kind: "vtxo-status"; readonly vtxoId: VtxoId }
  | { readonly kind: "offboard-request"; readonly output: TxOutput; readonly inputs: readonly VtxoId[] }
  | {
      readonly kind: "interactive-round";
      readonly vtxoId: VtxoId;
      /** 32 bytes chosen by the server. */
      readonly challenge: Uint8Array;
      readonly destinations: readonly RoundDestination[];
    }
  | { readonly kind: "delegated-round"; readonly vtxoId: VtxoId; readonly destinations: readonly Destination[] }
  | { readonly kind: "message"; readonly message: Uint8Array };

/** Raw ASCII before the body; all but the last are 32 bytes with their trailing spaces. */
const TAGS: Readonly<Record<Attestation["kind"], string>> = {
  "arkoor-cosign": "arkoor cosign attestation       ",
  "lightning-receive": "Lightning receive VTXO challenge",
  "vtxo-status": "Ark VTXO status query challenge ",
  "offboard-request": "Ark offboard request challenge  ",
  "interactive-round": "Ark round input ownership proof ",
  "delegated-round": "hArk round join ownership proof ",
  message: "bark/message",
};

/**
 * The 32-byte digest that is signed: SHA-256 of tag and body.
 *
 * @throws ArkError `BAD_VTXO_ID`, `OUT_OF_RANGE`, and the codes of `encodePolicy`
 */
export function attestationDigest(attestation: Attestation): Uint8Array {
  return sha256(new TextEncoder().encode(TAGS[attestation.kind]), bodyOf(attestation));
}

/**
 * Signs with the user key of the VTXO concerned: 64 bytes, BIP-340.
 *
 * @param auxRand 32 fresh random bytes.
 * @throws ArkError as {@link attestationDigest}, and `BAD_SECRET_KEY`
 */
export function signAttestation(attestation: Attestation, secretKey: Uint8Array, auxRand: Uint8Array): Uint8Array {
  return signSchnorr(attestationDigest(attestation), secretKey, auxRand);
}

/** Whether 64 bytes are the signature of an attestation by a user key (33 bytes; its parity plays no role). */
export function verifyAttestation(attestation: Attestation, signature: Uint8Array, userPubkey: Uint8Array): boolean {
  return verifySchnorr(signature, attestationDigest(attestation), xOnly(userPubkey));
}

function bodyOf(attestation: Attestation): Uint8Array {
  switch (attestation.kind) {
    case "arkoor-cosign":
      return arkoorBody(attestation.vtxoId, attestation.destinations);
    case "lightning-receive":
      return concatBytes(checkLength(attestation.paymentHash, 32), encodeVtxoId(attestation.vtxoId));
    case "vtxo-status":
      return encodeVtxoId(attestation.vtxoId);
    case "offboard-request": {
      const count = new ByteWriter().u32(attestation.inputs.length).finish();
      return concatBytes(encodeTxOutput(attestation.output), count, ...attestation.inputs.map(encodeVtxoId));
    }
    case "interactive-round":
      return concatBytes(
        checkLength(attestation.challenge, 32),
        encodeVtxoId(attestation.vtxoId),
        u64BigEndian(BigInt(attestation.destinations.length)),
        ...attestation.destinations.flatMap((destination) => [
          ...roundRequest(destination),
          checkLength(destination.cosignPubkey, 33),
        ]),
      );
    case "delegated-round":
      return concatBytes(
        encodeVtxoId(attestation.vtxoId),
        u64BigEndian(BigInt(attestation.destinations.length)),
        ...attestation.destinations.flatMap(roundRequest),
      );
    case "message":
      return attestation.message;
  }
}

function arkoorBody(vtxoId: VtxoId, destinations: readonly Destination[]): Uint8Array {
  const writer = new ByteWriter().bytes(encodeVtxoId(vtxoId)).u32(destinations.length);
  for (const { amountSats, policy } of destinations) writer.u64(amountSats).bytes(encodePolicy(policy));
  return writer.finish();
}

function roundRequest(destination: Destination): Uint8Array[] {
  return [u64BigEndian(destination.amountSats), encodePolicy(destination.policy)];
}

/** The two round attestations alone use big-endian numbers. */
function u64BigEndian(value: bigint): Uint8Array {
  return new ByteWriter().u64(value).finish().reverse();
}
