import type { ServerError } from "nice-grpc-common";
import { type ArkoorCosignRequest, type ArkoorCosignResponse, decodeDestination } from "../ark/arkoor-request.ts";
import { decodePublicNonce } from "../ark/musig.ts";
import { encodePolicy } from "../ark/policy.ts";
import { decodeVtxoId, encodeVtxoId } from "../ark/vtxo-id.ts";
import type {
  ArkoorDestination,
  ArkoorCosignRequest as WireRequest,
  ArkoorCosignResponse as WireResponse,
} from "../proto/generated/bark_server.ts";
import { internal, orStatus } from "./rpc-status.ts";

const ATTESTATION_BYTES = 64;

/**
 * Reads one part of a cosign request.
 *
 * @param malformed How what does not parse is answered: INTERNAL by most cosign methods (arkoor.md §10.1).
 * @throws ServerError
 */
export function readCosignRequest(part: WireRequest, malformed: (reason: string) => ServerError = internal): ArkoorCosignRequest {
  if (part.attestation.length !== ATTESTATION_BYTES) {
    throw malformed(`expected an attestation of ${ATTESTATION_BYTES} bytes, got ${part.attestation.length}`);
  }
  return orStatus(
    () => ({
      inputVtxoId: decodeVtxoId(part.inputVtxoId),
      outputs: part.outputs.map(readDestination),
      isolatedOutputs: part.isolatedOutputs.map(readDestination),
      userPublicNonces: part.userPubNonces.map((nonce) => decodePublicNonce(nonce)),
      useCheckpoint: part.useCheckpoint,
      attestation: part.attestation,
    }),
    malformed,
  );
}

/** The counterpart of {@link readCosignRequest}, for the simulator's own payers. */
export function writeCosignRequest(request: ArkoorCosignRequest): WireRequest {
  return {
    inputVtxoId: encodeVtxoId(request.inputVtxoId),
    outputs: request.outputs.map(writeDestination),
    isolatedOutputs: request.isolatedOutputs.map(writeDestination),
    userPubNonces: [...request.userPublicNonces],
    useCheckpoint: request.useCheckpoint,
    attestation: request.attestation,
  };
}

/** The answer for one part as it goes over the wire. */
export function writeCosignResponse(response: ArkoorCosignResponse): WireResponse {
  return {
    serverPubNonces: [...response.serverPublicNonces],
    serverPartialSigs: [...response.serverPartialSignatures],
  };
}

/** The counterpart of {@link writeCosignResponse}; nothing is checked. */
export function readCosignResponse(response: WireResponse): ArkoorCosignResponse {
  return { serverPublicNonces: response.serverPubNonces, serverPartialSignatures: response.serverPartialSigs };
}

function readDestination({ totalAmount, policy }: ArkoorDestination) {
  return decodeDestination(totalAmount, policy);
}

function writeDestination({ amountSats, policy }: ArkoorCosignRequest["outputs"][number]): ArkoorDestination {
  return { totalAmount: amountSats, policy: encodePolicy(policy) };
}
