import type { Destination } from "./arkoor-allocation.ts";
import type { ArkoorPart } from "./arkoor-transactions.ts";
import type { Attestation } from "./attestation.ts";
import { ByteReader } from "./bytes.ts";
import { decodeUserPolicy } from "./policy.ts";
import { type VtxoId, vtxoIdOf } from "./vtxo-id.ts";

/** A request to cosign one part (`ArkoorCosignRequest` of arkoor.md §8). */
export interface ArkoorCosignRequest {
  readonly inputVtxoId: VtxoId;
  readonly outputs: readonly Destination[];
  readonly isolatedOutputs: readonly Destination[];
  /** 66 bytes each, in the order of the part's transactions. */
  readonly userPublicNonces: readonly Uint8Array[];
  readonly useCheckpoint: boolean;
  /** 64 bytes. */
  readonly attestation: Uint8Array;
}

/** A server's answer for one part (`ArkoorCosignResponse` of arkoor.md §8), as it came: nothing is checked yet. */
export interface ArkoorCosignResponse {
  /** 66 bytes each, in the order of the part's transactions. */
  readonly serverPublicNonces: readonly Uint8Array[];
  /** 32 bytes each, in the same order. */
  readonly serverPartialSignatures: readonly Uint8Array[];
}

/**
 * Reads an `ArkoorDestination`; the policy must be one of a user and fill its bytes (arkoor.md §2.1).
 *
 * @throws ArkError `BAD_POLICY_TYPE`, `BAD_PUBKEY`, `BAD_HEIGHT`, `BAD_DELTA`, `SHORT_INPUT`, `TRAILING_BYTES`
 */
export function decodeDestination(amountSats: bigint, policyBytes: Uint8Array): Destination {
  const reader = new ByteReader(policyBytes);
  const policy = decodeUserPolicy(reader);
  reader.end();
  return { amountSats, policy };
}

/** What the owner of an input attests for a request: the outputs as they are sent, normal before isolated (arkoor.md §7). */
export function arkoorAttestation(part: Pick<ArkoorPart, "input" | "outputs">): Attestation {
  const { normal, isolated } = part.outputs;
  return { kind: "arkoor-cosign", vtxoId: vtxoIdOf(part.input.point), destinations: [...normal, ...isolated] };
}
