import type { CallContext } from "nice-grpc-common";
import { verifyAttestation } from "../ark/attestation.ts";
import { decodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import type {
  ArkInfo,
  ArkoorPackageCosignRequest,
  ArkoorPackageCosignResponse,
  ArkServiceImplementation,
  CancelLightningReceiveRequest,
  CheckLightningPaymentRequest,
  CheckLightningReceiveRequest,
  CheckLightningReceiveResponse,
  ClaimLightningReceiveRequest,
  GetVtxoRequest,
  GetVtxoResponse,
  GetVtxoStatusRequest,
  GetVtxoStatusResponse,
  HandshakeRequest,
  HandshakeResponse,
  InitiateLightningPaymentRequest,
  LightningPayHtlcCosignRequest,
  LightningPaymentStatus,
  PrepareLightningReceiveClaimRequest,
  PrepareLightningReceiveClaimResponse,
  RegisterVtxoTransactionsRequest,
  RoundParticipationStatusRequest,
  RoundParticipationStatusResponse,
  StartLightningReceiveRequest,
  StartLightningReceiveResponse,
} from "../proto/generated/bark_server.ts";
import { VtxoSpendState } from "../proto/generated/bark_server.ts";
import type { Empty } from "../proto/generated/core.ts";
import { arkInfo, type ServerTerms, wireFees } from "./ark-info.ts";
import type { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { announcement } from "./client-version.ts";
import type { Faults } from "./faults.ts";
import type { Lightning } from "./lightning.ts";
import { checkHtlcVersion, readHash } from "./lightning-wire.ts";
import type { SimulatorNetwork } from "./network.ts";
import { badInput, NotFound, orBadInput } from "./rpc-status.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { LedgerEntry, SpendState, VtxoLedger } from "./vtxo-ledger.ts";
import type { VtxoRegistry } from "./vtxo-registry.ts";

const ATTESTATION_BYTES = 64;

/** What the Ark service stands on. */
export interface ArkServiceParts {
  readonly network: SimulatorNetwork;
  readonly keys: ServerKeys;
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly registry: VtxoRegistry;
  readonly cosigner: ArkoorCosigner;
  readonly lightning: Lightning;
  readonly faults: Faults;
  readonly protocolVersions: { readonly min: number; readonly max: number };
  /** The operator's announcement. */
  readonly psa: string | undefined;
}

/** `bark_server.ArkService` without rounds; of its methods only those that make HTLCs look at `pver`. */
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
    const fees = wireFees(faults.lightning.fees ?? terms.fees);
    return { ...arkInfo(network, keys, terms), fees, ...faults.arkInfo };
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
    if (!this.#parts.faults.lightning.takeDroppedRegistration()) this.#parts.registry.register(request.vtxos);
    return {};
  }

  /** The deprecated alias of {@link registerVtxoTransactions}. */
  async registerVtxos(request: RegisterVtxoTransactionsRequest): Promise<Empty> {
    return this.registerVtxoTransactions(request);
  }

  async requestArkoorCosign(request: ArkoorPackageCosignRequest): Promise<ArkoorPackageCosignResponse> {
    return this.#answered(await this.#parts.cosigner.cosign(request));
  }

  async requestLightningPayHtlcCosign(
    request: LightningPayHtlcCosignRequest,
    context: CallContext,
  ): Promise<ArkoorPackageCosignResponse> {
    checkHtlcVersion(context);
    return this.#answered(await this.#lightning.sends.cosign(request));
  }

  async initiateLightningPayment(request: InitiateLightningPaymentRequest, context: CallContext): Promise<Empty> {
    checkHtlcVersion(context);
    this.#lightning.sends.initiate(request);
    return {};
  }

  async checkLightningPayment(request: CheckLightningPaymentRequest, context: CallContext): Promise<LightningPaymentStatus> {
    return this.#lightning.sends.check(request.hash, request.wait, context.signal);
  }

  async requestLightningPayHtlcRevocation(request: ArkoorPackageCosignRequest): Promise<ArkoorPackageCosignResponse> {
    return this.#answered(await this.#lightning.sends.revoke(request));
  }

  async startLightningReceive(
    request: StartLightningReceiveRequest,
    context: CallContext,
  ): Promise<StartLightningReceiveResponse> {
    checkHtlcVersion(context);
    return { bolt11: this.#lightning.receives.start(request) };
  }

  async checkLightningReceive(
    request: CheckLightningReceiveRequest,
    context: CallContext,
  ): Promise<CheckLightningReceiveResponse> {
    return this.#lightning.receives.check(request.hash, request.wait, context.signal);
  }

  async prepareLightningReceiveClaim(
    request: PrepareLightningReceiveClaimRequest,
    context: CallContext,
  ): Promise<PrepareLightningReceiveClaimResponse> {
    checkHtlcVersion(context);
    return this.#lightning.receives.prepare(request);
  }

  async claimLightningReceive(request: ClaimLightningReceiveRequest): Promise<ArkoorPackageCosignResponse> {
    return this.#answered(await this.#lightning.receives.claim(request));
  }

  async cancelLightningReceive(request: CancelLightningReceiveRequest): Promise<Empty> {
    this.#lightning.receives.cancel(request.paymentHash);
    return {};
  }

  async roundParticipationStatus(request: RoundParticipationStatusRequest): Promise<RoundParticipationStatusResponse> {
    throw new NotFound("round participation", [readHash(request.unlockHash)]);
  }

  /** The Lightning side, once it has done what time alone does. */
  get #lightning(): Lightning {
    this.#parts.lightning.advance();
    return this.#parts.lightning;
  }

  /** An answer of a cosign method, spoiled where a fault asks for it. */
  #answered(response: ArkoorPackageCosignResponse): ArkoorPackageCosignResponse {
    return this.#parts.faults.lightning.spoilSignatures(response);
  }

  #find(bytes: Uint8Array): LedgerEntry {
    const id: VtxoId = orBadInput("invalid vtxo id", () => decodeVtxoId(bytes));
    const entry = this.#parts.ledger.get(id);
    if (!entry) throw new NotFound("vtxo", [id]);
    return entry;
  }
}

function wireState(state: SpendState): VtxoSpendState {
  switch (state) {
    case "unregistered":
      return VtxoSpendState.VTXO_SPEND_STATE_UNREGISTERED;
    case "spendable":
    case "pool":
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
