import { setImmediate as yieldToOthers } from "node:timers/promises";
import { verifyAttestation } from "../ark/attestation.ts";
import { sha256 } from "../ark/crypto.ts";
import { encodeHex } from "../ark/hex.ts";
import { checkHeight } from "../ark/limits.ts";
import { checkPublicKey } from "../ark/public-key.ts";
import { decodeVtxoId, encodeVtxoId } from "../ark/vtxo-id.ts";
import {
  type ArkoorPackageCosignResponse,
  type CheckLightningReceiveResponse,
  type ClaimLightningReceiveRequest,
  type InputVtxo,
  LightningReceiveStatus,
  type PrepareLightningReceiveClaimRequest,
  type PrepareLightningReceiveClaimResponse,
  type StartLightningReceiveRequest,
} from "../proto/generated/bark_server.ts";
import type { ServerTerms } from "./ark-info.ts";
import type { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { readCosignRequest } from "./arkoor-wire.ts";
import type { LightningBook } from "./lightning-book.ts";
import type { LightningFaults } from "./lightning-faults.ts";
import type { LightningGrants } from "./lightning-grants.ts";
import { type HeldInvoice, spoilInvoice } from "./lightning-invoices.ts";
import { invoiceNetwork, type LightningNetwork } from "./lightning-network.ts";
import { RECOVERY_RULES } from "./lightning-sends.ts";
import type { LightningReceive, LightningStore, ReceiveStatus } from "./lightning-store.ts";
import { readHash, readMailbox } from "./lightning-wire.ts";
import type { SimulatorNetwork } from "./network.ts";
import { badInput, internal, NotFound, orBadInput } from "./rpc-status.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

/** What payments in stand on. */
export interface LightningReceivesParts {
  readonly bitcoinNetwork: SimulatorNetwork;
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly chain: SimulatedChain;
  readonly cosigner: ArkoorCosigner;
  readonly store: LightningStore;
  readonly book: LightningBook;
  readonly network: LightningNetwork;
  readonly grants: LightningGrants;
  readonly faults: LightningFaults;
  readonly nowMs: () => number;
}

/** Blocks that a claim must be ahead of the incoming payment's expiry (lightning.md §13.2). */
const CLAIM_MARGIN = 3;

const WIRE_STATUS: Readonly<Record<ReceiveStatus, LightningReceiveStatus>> = {
  created: LightningReceiveStatus.CREATED,
  accepted: LightningReceiveStatus.ACCEPTED,
  "htlcs-ready": LightningReceiveStatus.HTLCS_READY,
  settled: LightningReceiveStatus.SETTLED,
  canceled: LightningReceiveStatus.CANCELED,
};

/** What an invoice may carry as description, in bytes (BOLT 11). */
const MAX_DESCRIPTION_BYTES = 639;
const INVOICE_EXPIRY_S = 172_800;

/** The methods for payments in, with the checks and their order of lightning.md §13.2. */
export class LightningReceives {
  readonly #parts: LightningReceivesParts;
  readonly #preparing = new Set<string>();
  /** Tokens that stand in for a proof, and whether they are still good. */
  readonly #tokens = new Map<string, boolean>();

  constructor(parts: LightningReceivesParts) {
    this.#parts = parts;
  }

  /** `StartLightningReceive`. @returns the invoice @throws ServerError */
  start(request: StartLightningReceiveRequest): string {
    const { store, network, faults, nowMs } = this.#parts;
    const hash = readHash(request.paymentHash);
    const mailboxId = readMailbox(request.mailboxId);
    const invoice = this.#checkedInvoice(request);
    const existing = store.receive(hash);
    if (existing?.status === "created") return existing.bolt11;
    if (existing && existing.status !== "canceled") throw internal(`a receive of this hash is ${existing.status}`);
    const bolt11 = existing?.bolt11 ?? network.issueHeld(invoice);
    store.addReceive({
      ...{ paymentHash: hash, bolt11, amountSats: existing?.amountSats ?? request.amountSat },
      ...{ finalCltvDelta: existing?.finalCltvDelta ?? Number(invoice.minFinalCltvDelta) },
      ...{ expiresAtMs: existing?.expiresAtMs ?? nowMs() + INVOICE_EXPIRY_S * 1_000 },
      // One that is started again after a cancellation loses its mailbox.
      ...{ mailboxId: existing ? null : mailboxId, status: "created" as const, htlcIds: [] },
      ...{ lowestExpiryHeight: null, acceptedAtMs: null, isIntraArk: false },
    });
    return faults.invoice === null ? bolt11 : network.issueHeld(spoilInvoice(invoice, faults.invoice));
  }

  /** `CheckLightningReceive`. @throws ServerError */
  async check(hashBytes: Uint8Array, wait: boolean, signal: AbortSignal): Promise<CheckLightningReceiveResponse> {
    const hash = readHash(hashBytes);
    let receive = this.#find(hash);
    while (wait && receive.status !== "accepted" && receive.status !== "htlcs-ready") {
      await this.#parts.store.nextChange(signal);
      receive = this.#find(hash);
    }
    return describe(receive);
  }

  /** `PrepareLightningReceiveClaim`. @throws ServerError */
  async prepare(request: PrepareLightningReceiveClaimRequest): Promise<PrepareLightningReceiveClaimResponse> {
    const hash = readHash(request.paymentHash);
    const userPubkey = orBadInput("invalid user pubkey", () => checkPublicKey(request.userPubkey));
    const htlcExpiryHeight = orBadInput("invalid expiry", () => checkHeight(request.htlcRecvExpiry));
    if (this.#preparing.has(hash)) throw internal("another request works on this receive");
    this.#preparing.add(hash);
    try {
      // As the database of a real server does, this lets other requests in between.
      await yieldToOthers();
      const receive = this.#find(hash);
      if (receive.status !== "htlcs-ready") {
        if (receive.status !== "accepted")
          throw badInput(`expected a payment to be held, got a receive that is ${receive.status}`);
        this.#checkAntiDos(request);
        this.#checkTime(receive, htlcExpiryHeight);
        receive.htlcIds = this.#parts.grants.issue(receive, { userPubkey, htlcExpiryHeight });
        receive.status = "htlcs-ready";
        this.#parts.store.changed();
      }
      const { vtxos, reportedSats } = this.#parts.grants.handOut(receive);
      return { receive: { ...describe(receive), amountSat: reportedSats }, htlcVtxos: [...vtxos] };
    } finally {
      this.#preparing.delete(hash);
    }
  }

  /** `ClaimLightningReceive`. @throws ServerError */
  async claim(request: ClaimLightningReceiveRequest): Promise<ArkoorPackageCosignResponse> {
    const { cosigner, store, chain, faults } = this.#parts;
    const hash = readHash(request.paymentHash);
    const parts = (request.cosignRequest?.parts ?? []).map((part) => readCosignRequest(part, badInput));
    const preimage = request.paymentPreimage;
    if (encodeHex(sha256(preimage)) !== hash) throw badInput("expected the preimage of the payment hash, got another");
    if (!parts[0]?.outputs[0]) throw internal("expected an output in the first part, got none");
    const receive = this.#find(hash);
    const { status, lowestExpiryHeight } = receive;
    if (status !== "htlcs-ready" && status !== "settled")
      throw badInput(`expected granted HTLCs, got a receive that is ${status}`);
    const tip = chain.tip + faults.tipAhead;
    if (status === "htlcs-ready" && !receive.isIntraArk && tip + CLAIM_MARGIN > (lowestExpiryHeight ?? 0)) {
      throw badInput(`expected a claim by height ${(lowestExpiryHeight ?? 0) - CLAIM_MARGIN}, got one at ${tip}`);
    }
    if (parts.map((part) => part.inputVtxoId).join() !== receive.htlcIds.join()) {
      throw badInput("expected the granted VTXOs as inputs, sorted by their ids, got others");
    }
    const checked = cosigner.check(cosigner.find(parts), { ...RECOVERY_RULES, inputPolicies: ["server-htlc-receive-v1"] });
    store.settle(hash, preimage);
    // The settler works in the background, whatever becomes of this request.
    setImmediate(() => this.#parts.book.settle(receive, preimage));
    return cosigner.execute(checked, { checksBefore: false, locks: true });
  }

  /** `CancelLightningReceive`. @throws ServerError */
  cancel(hashBytes: Uint8Array): void {
    const receive = this.#find(readHash(hashBytes));
    if (receive.status === "canceled") return;
    if (receive.status === "htlcs-ready" || receive.status === "settled") {
      throw badInput(`expected a receive without HTLCs, got one that is ${receive.status}`);
    }
    if (!this.#parts.network.isServerNodeOnline) throw internal("no lightning node is online");
    this.#parts.book.cancel(receive);
  }

  /** A token that a server hands out against spam; good for one grant. */
  issueToken(token: string): string {
    this.#tokens.set(token, true);
    return token;
  }

  #checkedInvoice(request: StartLightningReceiveRequest): HeldInvoice {
    const { terms, grants, bitcoinNetwork } = this.#parts;
    const { amountSat, minCltvDelta, description = "" } = request;
    if (amountSat === 0n) throw badInput("expected an amount of at least 1 sat, got 0");
    const bytes = new TextEncoder().encode(description).length;
    if (bytes > MAX_DESCRIPTION_BYTES)
      throw badInput(`expected a description of at most ${MAX_DESCRIPTION_BYTES} bytes, got ${bytes}`);
    if (minCltvDelta > terms.maxUserInvoiceCltvDelta) {
      throw internal(`expected a CLTV delta of at most ${terms.maxUserInvoiceCltvDelta}, got ${minCltvDelta}`);
    }
    const fee = grants.fee(amountSat);
    if (fee >= amountSat) throw internal(`expected an amount above the fee of ${fee} sat, got ${amountSat}`);
    if (terms.maxVtxoAmountSats !== null && amountSat > terms.maxVtxoAmountSats) {
      throw badInput(`expected at most ${terms.maxVtxoAmountSats} sat, got ${amountSat}`);
    }
    return {
      network: invoiceNetwork(bitcoinNetwork),
      amountMsats: amountSat * 1_000n,
      paymentHash: request.paymentHash,
      description,
      expiryS: BigInt(INVOICE_EXPIRY_S),
      minFinalCltvDelta: BigInt(minCltvDelta + terms.htlcExpiryDelta),
    };
  }

  #checkAntiDos(request: PrepareLightningReceiveClaimRequest): void {
    const proof = request.lightningReceiveAntiDos;
    if (!proof) {
      if (this.#parts.terms.lnReceiveAntiDosRequired) throw badInput("expected an input vtxo or a token, got none");
      return;
    }
    if (proof.$case === "inputVtxo") {
      this.#checkProof(proof.value, request.paymentHash);
      return;
    }
    const isGood = this.#tokens.get(proof.value);
    if (isGood === undefined) throw new NotFound("token", [proof.value]);
    if (!isGood) throw badInput("expected a token that is good, got one that was used");
    this.#tokens.set(proof.value, false);
  }

  /** A proof that some VTXO is the caller's. */
  #checkProof(proof: InputVtxo, paymentHash: Uint8Array): void {
    const { ledger, chain } = this.#parts;
    const vtxoId = orBadInput("invalid vtxo id", () => decodeVtxoId(proof.vtxoId));
    const entry = ledger.get(vtxoId);
    if (!entry || entry.isInternal || !("userPubkey" in entry.vtxo.policy)) throw new NotFound("vtxo", [vtxoId]);
    const isExited = (chain.transaction(entry.vtxo.point.txid)?.height ?? null) !== null;
    if (isExited || (entry.state !== "spendable" && entry.state !== "unregistered")) {
      throw badInput(`expected ${vtxoId} to be spendable or unregistered, got ${isExited ? "exited" : entry.state}`);
    }
    const { attestation } = proof;
    const isGood =
      attestation.length === 64 &&
      verifyAttestation({ kind: "lightning-receive", vtxoId, paymentHash }, attestation, entry.vtxo.policy.userPubkey);
    if (!isGood) throw badInput("expected an attestation by the owner key, got another");
  }

  #checkTime({ lowestExpiryHeight }: LightningReceive, htlcExpiryHeight: number): void {
    const { terms, chain, faults } = this.#parts;
    const tip = chain.tip + faults.tipAhead;
    const lowest = lowestExpiryHeight ?? 0;
    for (const height of [tip, htlcExpiryHeight]) {
      if (height + terms.htlcExpiryDelta > lowest) {
        throw badInput(`expected height ${height} and ${terms.htlcExpiryDelta} blocks to be at most ${lowest}, got more`);
      }
    }
  }

  #find(hash: string): LightningReceive {
    const receive = this.#parts.store.receive(hash);
    if (!receive) throw new NotFound("receive", [hash]);
    return receive;
  }
}

function describe(receive: LightningReceive): CheckLightningReceiveResponse {
  return {
    invoice: receive.bolt11,
    amountSat: receive.amountSats,
    status: WIRE_STATUS[receive.status],
    htlcVtxos: receive.htlcIds.map(encodeVtxoId),
  };
}
