import type { Destination } from "../ark/arkoor-allocation.ts";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../ark/arkoor-request.ts";
import { encodePolicy } from "../ark/policy.ts";
import { encodeVtxoId } from "../ark/vtxo-id.ts";
import type { ArkoorPackageCosignResponse, ArkoorCosignRequest as WireRequest } from "../proto/generated/bark_server.ts";

/** The parts of a package as they go over the wire (arkoor.md §8). */
export function encodeCosignRequests(requests: readonly ArkoorCosignRequest[]): WireRequest[] {
  return requests.map((request) => ({
    inputVtxoId: encodeVtxoId(request.inputVtxoId),
    outputs: request.outputs.map(encodeDestination),
    isolatedOutputs: request.isolatedOutputs.map(encodeDestination),
    userPubNonces: [...request.userPublicNonces],
    useCheckpoint: request.useCheckpoint,
    attestation: request.attestation,
  }));
}

/** A server's answer, in own copies; nothing is checked. */
export function decodeCosignResponses({ parts }: ArkoorPackageCosignResponse): ArkoorCosignResponse[] {
  return parts.map(({ serverPubNonces, serverPartialSigs }) => ({
    serverPublicNonces: serverPubNonces.map((nonce) => new Uint8Array(nonce)),
    serverPartialSignatures: serverPartialSigs.map((signature) => new Uint8Array(signature)),
  }));
}

function encodeDestination({ amountSats, policy }: Destination) {
  return { totalAmount: amountSats, policy: encodePolicy(policy) };
}
