import { ServerError, Status } from "nice-grpc-common";
import { verifyAttestation } from "../ark/attestation.ts";
import { encodeHex } from "../ark/hex.ts";
import { decodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import type {
  ArkInfo,
  ArkoorPackageCosignRequest,
  ArkoorPackageCosignResponse,
  ArkServiceImplementation,
  CheckLightningPaymentRequest,
  CheckLightningReceiveRequest,
  CheckLightningReceiveResponse,
  GetVtxoRequest,
  GetVtxoResponse,
  GetVtxoStatusRequest,
  GetVtxoStatusResponse,
  HandshakeRequest,
  HandshakeResponse,
  LightningPaymentStatus,
  PrepareLightningReceiveClaimResponse,
  RegisterVtxoTransactionsRequest,
  RoundParticipationStatusRequest,
  RoundParticipationStatusResponse,
  StartLightningReceiveResponse,
} from "../proto/generated/bark_server.ts";
import { VtxoSpendState } from "../proto/generated/bark_server.ts";
import type { Empty } from "../proto/generated/core.ts";
import { arkInfo, type ServerTerms } from "./ark-info.ts";
import type { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { announcement } from "./client-version.ts";
import type { Faults } from "./faults.ts";
import type { SimulatorNetwork } from "./network.ts";
import { badInput, NotFound, orBadInput } from "./rpc-status.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { LedgerEntry, SpendState, VtxoLedger } from "./vtxo-ledger.ts";
import type { VtxoRegistry } from "./vtxo-registry.ts";

const ATTESTATION_BYTES = 64;
const HASH_BYTES = 32;

/** What the Ark service stands on. */
export interface ArkServiceParts {
  readonly network: SimulatorNetwork;
  readonly keys: ServerKeys;
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly registry: VtxoRegistry;
  readonly cosigner: ArkoorCosigner;
  readonly faults: Faults;
  readonly protocolVersions: { readonly min: number; readonly max: number };
  /** The operator's announcement. */
  readonly psa: string | undefined;
}

/** `bark_server.ArkService` as far as mailbox, coins and arkoor payments need it; none of its methods looks at `pver`. */
export class ArkService implements ArkServiceImplementation {
  readonly #parts: ArkServiceParts;

  constructor(parts: ArkServiceParts) {
    this.#parts = parts;
  }

  async handshake(request: HandshakeRequest): Promise<HandshakeResponse> {
    const { protocolVersions, psa } = this.#parts;
    return {
      minProtocolVersion: BigInt(protocolVersions.min),
      maxProtocolVersion: BigInt(protocolVersions.max),
      psa: announcement(request.barkVersion, psa),
    };
  }

  async getArkInfo(): Promise<ArkInfo> {
    const { network, keys, terms, faults } = this.#parts;
    return { ...arkInfo(network, keys, terms), ...faults.arkInfo };
  }

  async getVtxo(request: GetVtxoRequest): Promise<GetVtxoResponse> {
    return { vtxo: this.#find(request.vtxoId).bytes };
  }

  async getVtxoStatus(request: GetVtxoStatusRequest): Promise<GetVtxoStatusResponse> {
    if (request.attestation.length !== ATTESTATION_BYTES) {
      throw badInput(`invalid attestation: expected ${ATTESTATION_BYTES} bytes, got ${request.attestation.length}`);
    }
    const { id, vtxo, isInternal, state } = this.#find(request.vtxoId);
    if (isInternal || !("userPubkey" in vtxo.policy)) throw new NotFound("vtxo", [id]);
    if (!verifyAttestation({ kind: "vtxo-status", vtxoId: id }, request.attestation, vtxo.policy.userPubkey)) {
      throw badInput("expected an attestation by the owner key, got another");
    }
    return { spendState: wireState(state) };
  }

  async registerVtxoTransactions(request: RegisterVtxoTransactionsRequest): Promise<Empty> {
    this.#parts.registry.register(request.vtxos);
    return {};
  }

  /** The deprecated alias of {@link registerVtxoTransactions}. */
  async registerVtxos(request: RegisterVtxoTransactionsRequest): Promise<Empty> {
    return this.registerVtxoTransactions(request);
  }

  async requestArkoorCosign(request: ArkoorPackageCosignRequest): Promise<ArkoorPackageCosignResponse> {
    return this.#parts.cosigner.cosign(request);
  }

  async checkLightningPayment(request: CheckLightningPaymentRequest): Promise<LightningPaymentStatus> {
    throw unknownHash(request.hash, "payment");
  }

  async checkLightningReceive(request: CheckLightningReceiveRequest): Promise<CheckLightningReceiveResponse> {
    throw unknownHash(request.hash, "receive");
  }

  async requestLightningPayHtlcCosign(): Promise<ArkoorPackageCosignResponse> {
    throw unimplemented();
  }

  async initiateLightningPayment(): Promise<Empty> {
    throw unimplemented();
  }

  async requestLightningPayHtlcRevocation(): Promise<ArkoorPackageCosignResponse> {
    throw unimplemented();
  }

  async startLightningReceive(): Promise<StartLightningReceiveResponse> {
    throw unimplemented();
  }

  async prepareLightningReceiveClaim(): Promise<PrepareLightningReceiveClaimResponse> {
    throw unimplemented();
  }

  async claimLightningReceive(): Promise<ArkoorPackageCosignResponse> {
    throw unimplemented();
  }

  async cancelLightningReceive(): Promise<Empty> {
    throw unimplemented();
  }

  async roundParticipationStatus(request: RoundParticipationStatusRequest): Promise<RoundParticipationStatusResponse> {
    throw unknownHash(request.unlockHash, "round participation");
  }

  #find(bytes: Uint8Array): LedgerEntry {
    const id: VtxoId = orBadInput("invalid vtxo id", () => decodeVtxoId(bytes));
    const entry = this.#parts.ledger.get(id);
    if (!entry) throw new NotFound("vtxo", [id]);
    return entry;
  }
}

/** A server without Lightning and rounds knows no hash. */
function unknownHash(hash: Uint8Array, what: string): Error {
  if (hash.length !== HASH_BYTES) return badInput(`invalid hash: expected ${HASH_BYTES} bytes, got ${hash.length}`);
  return new NotFound(what, [encodeHex(hash)]);
}

/** What nice-grpc answers for a method without an implementation. */
function unimplemented(): ServerError {
  return new ServerError(Status.UNIMPLEMENTED, "");
}

function wireState(state: SpendState): VtxoSpendState {
  switch (state) {
    case "unregistered":
      return VtxoSpendState.VTXO_SPEND_STATE_UNREGISTERED;
    case "spendable":
      return VtxoSpendState.VTXO_SPEND_STATE_SPENDABLE;
    case "spent":
    case "ln-spent":
      return VtxoSpendState.VTXO_SPEND_STATE_SPENT;
    case "unclaimed":
      return VtxoSpendState.VTXO_SPEND_STATE_UNCLAIMED;
    case "htlc-recv-unclaimed":
      return VtxoSpendState.VTXO_SPEND_STATE_HTLC_RECV_UNCLAIMED;
  }
}
