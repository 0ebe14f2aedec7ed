import { sumSats } from "../ark/arkoor-allocation.ts";
import type { ArkoorRpcRules, ArkoorServerPart } from "../ark/arkoor-server.ts";
import { type Bolt11Invoice, parseBolt11 } from "../ark/bolt11.ts";
import { equalBytes } from "../ark/bytes.ts";
import { ArkError } from "../ark/errors.ts";
import { lightningSendFee } from "../ark/fees.ts";
import { encodeHex } from "../ark/hex.ts";
import { encodePolicy, type HtlcSendPolicy, type UserPolicy } from "../ark/policy.ts";
import type { Vtxo } from "../ark/vtxo.ts";
import { decodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import type {
  ArkoorPackageCosignRequest,
  ArkoorPackageCosignResponse,
  InitiateLightningPaymentRequest,
  LightningPayHtlcCosignRequest,
  LightningPaymentStatus,
} from "../proto/generated/bark_server.ts";
import type { ServerTerms } from "./ark-info.ts";
import type { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { readCosignRequest } from "./arkoor-wire.ts";
import type { LightningBook } from "./lightning-book.ts";
import type { LightningFaults } from "./lightning-faults.ts";
import type { LightningNetwork } from "./lightning-network.ts";
import { isOpen, type LightningStore } from "./lightning-store.ts";
import { readHash, readMailbox } from "./lightning-wire.ts";
import { lightningSendFeeInOrder } from "./older-fees.ts";
import { badInput, internal, NotFound, orBadInput } from "./rpc-status.ts";
import type { ServerKeys } from "./server-keys.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { VtxoLedger } from "./vtxo-ledger.ts";

/** What payments out stand on. */
export interface LightningSendsParts {
  readonly keys: ServerKeys;
  readonly terms: ServerTerms;
  readonly ledger: VtxoLedger;
  readonly chain: SimulatedChain;
  readonly cosigner: ArkoorCosigner;
  readonly store: LightningStore;
  readonly book: LightningBook;
  readonly network: LightningNetwork;
  readonly faults: LightningFaults;
  readonly nowMs: () => number;
}

type HtlcInput = Vtxo & { readonly policy: HtlcSendPolicy };

/** When reconciliation gives up a payment that came too close to its expiry (lightning.md §13.1). */
const RECONCILED_MS = 75_000;

const USER_POLICIES: ArkoorRpcRules["inputPolicies"] = [
  "pubkey",
  "server-htlc-send",
  "server-htlc-receive",
  "server-htlc-send-v1",
  "server-htlc-receive-v1",
];

/** Recovery methods skip the rules that could stand in the way of the money (arkoor.md §10.1). */
export const RECOVERY_RULES: Omit<ArkoorRpcRules, "inputPolicies"> = {
  useCheckpoint: true,
  maxFanOut: 1,
  maxExitDepth: null,
  dustRule: false,
};

/** The methods for payments out, with the checks and their order of lightning.md §13.1. */
export class LightningSends {
  readonly #parts: LightningSendsParts;

  constructor(parts: LightningSendsParts) {
    this.#parts = parts;
  }

  /** `RequestLightningPayHtlcCosign`. @throws ServerError */
  async cosign(wire: LightningPayHtlcCosignRequest): Promise<ArkoorPackageCosignResponse> {
    const { cosigner, store, terms } = this.#parts;
    const inputs = cosigner.find(wire.parts.map((part) => readCosignRequest(part)));
    const policy = htlcDestination(inputs);
    const hash = encodeHex(policy.paymentHash);
    if (store.preimage(hash)) throw badInput("invoice has already been paid");
    const leastExpiry = this.#tip + terms.htlcSendExpiryDelta - 1;
    if (policy.htlcExpiryHeight < leastExpiry) {
      throw badInput(`expected an HTLC expiry of at least ${leastExpiry}, got ${policy.htlcExpiryHeight}`);
    }
    if (isOpen(store.attempt(hash))) throw badInput("a payment of this invoice is under way");
    // That an input is of policy Pubkey follows from its being spendable, which a repeated request need not be.
    const checked = cosigner.check(inputs, { ...cosigner.paymentRules, inputPolicies: USER_POLICIES });
    return cosigner.execute(checked, { checksBefore: true, locks: true });
  }

  /** `InitiateLightningPayment`: OK is no promise. @throws ServerError */
  initiate(request: InitiateLightningPaymentRequest): void {
    const { store, book, network, terms, nowMs } = this.#parts;
    const ids = request.htlcVtxoIds.map((bytes) => orBadInput("invalid vtxo id", () => decodeVtxoId(bytes)));
    const invoice = readPaidInvoice(request.invoice);
    const mailboxId = readMailbox(request.mailboxId);
    const hash = encodeHex(invoice.paymentHash);
    const htlcs = this.#htlcs(ids, invoice);
    const amountSats = request.paymentAmountSat;
    checkAmount(invoice, amountSats);
    const own = store.receive(hash);
    if (own && (own.bolt11 !== invoice.text || amountSats < own.amountSats)) {
      throw badInput("expected the invoice of this server as it was issued, and its amount");
    }
    this.#checkFunded(htlcs, amountSats);

    const outcome = network.takeOutcome(hash);
    if (outcome === "no-node" || isOpen(store.attempt(hash))) return;
    const htlcExpiryHeight = Math.min(...htlcs.map(({ policy }) => policy.htlcExpiryHeight));
    const isTooClose = own === null && htlcExpiryHeight < this.#tip + terms.htlcExpiryDelta;
    const attempt = {
      ...{ paymentHash: hash, amountSats, htlcIds: ids, htlcExpiryHeight, mailboxId, isIntraArk: own !== null },
      ...{ status: "requested" as const, falsePreimage: null, admissions: null },
      failsAtMs: isTooClose ? nowMs() + RECONCILED_MS : null,
    };
    store.addAttempt(attempt);
    if (own === null && !isTooClose) network.begin(attempt, outcome);
    if (own === null) return;
    if (own.status === "created") book.accept(own, { lowestExpiryHeight: htlcExpiryHeight, isIntraArk: true }, nowMs());
    else book.fail(attempt);
  }

  /** `CheckLightningPayment`. @throws ServerError */
  async check(hashBytes: Uint8Array, wait: boolean, signal: AbortSignal): Promise<LightningPaymentStatus> {
    const { store } = this.#parts;
    const hash = readHash(hashBytes);
    while (wait && isOpen(store.attempt(hash))) await store.nextChange(signal);
    const attempt = store.attempt(hash);
    if (!attempt) throw new NotFound("payment", [hash]);
    const preimage = attempt.falsePreimage ?? store.preimage(hash);
    if (preimage && !this.#parts.faults.hidePreimages) {
      if (attempt.admissions === 0) return { paymentStatus: { $case: "failed", value: {} } };
      if (attempt.admissions !== null) attempt.admissions -= 1;
      return { paymentStatus: { $case: "success", value: { preimage } } };
    }
    return { paymentStatus: { $case: attempt.status === "failed" ? "failed" : "pending", value: {} } };
  }

  /** `RequestLightningPayHtlcRevocation`. @throws ServerError */
  async revoke(wire: ArkoorPackageCosignRequest): Promise<ArkoorPackageCosignResponse> {
    const { cosigner, store, book } = this.#parts;
    const requests = wire.parts.map((part) => readCosignRequest(part));
    checkRevocationDestinations(
      requests.flatMap((request) => [...request.outputs, ...request.isolatedOutputs]).map((d) => d.policy),
    );
    const inputs = cosigner.find(requests);
    const policy = revokedPolicy(inputs);
    const hash = encodeHex(policy.paymentHash);
    this.#checkNotSettled(hash, "invoice has already been paid");
    const checked = cosigner.check(inputs, { ...RECOVERY_RULES, inputPolicies: ["server-htlc-send-v1"] });
    const attempt = store.attempt(hash);
    if (isOpen(attempt) && this.#tip <= policy.htlcExpiryHeight)
      throw badInput("this lightning payment is not eligible for revocation yet");
    return cosigner.execute(checked, {
      checksBefore: false,
      locks: false,
      insideWrite: () => {
        this.#checkNotSettled(hash, "This lightning payment has completed");
        const receive = store.receive(hash);
        if (receive?.status === "htlcs-ready" || receive?.status === "settled") {
          throw badInput("the receiver has been granted this payment");
        }
        if (receive?.status === "created" || receive?.status === "accepted") book.cancel(receive);
        const open = store.attempt(hash);
        if (isOpen(open)) open.status = "failed";
      },
    });
  }

  get #tip(): number {
    return this.#parts.chain.tip + this.#parts.faults.tipAhead;
  }

  /** The HTLCs of an initiation, checked one after the other. */
  #htlcs(ids: readonly VtxoId[], invoice: Bolt11Invoice): HtlcInput[] {
    const { ledger, chain, keys } = this.#parts;
    const unknown = ids.filter((id) => !ledger.has(id));
    if (unknown.length > 0) throw new NotFound("vtxos", unknown);
    if (new Set(ids).size < ids.length) throw new NotFound("vtxos given twice");
    return ids.map((id) => {
      const entry = ledger.get(id);
      const vtxo = entry?.vtxo;
      if (vtxo?.policy.kind !== "server-htlc-send-v1") {
        throw badInput(`expected ${id} to be of policy server-htlc-send-v1, got ${vtxo?.policy.kind}`);
      }
      const isExited = (chain.transaction(vtxo.point.txid)?.height ?? null) !== null;
      if (isExited || entry?.state !== "spendable") {
        throw badInput(`expected ${id} to be spendable, got ${isExited ? "exited" : entry?.state}`);
      }
      if (!equalBytes(vtxo.serverPubkey, keys.serverPubkey)) throw badInput(`expected ${id} to be of this server, got another's`);
      if (!equalBytes(vtxo.policy.paymentHash, invoice.paymentHash)) {
        throw badInput(`expected ${id} to be locked by the hash of the invoice, got another`);
      }
      return { ...vtxo, policy: vtxo.policy };
    });
  }

  #checkFunded(htlcs: readonly HtlcInput[], amountSats: bigint): void {
    const { terms, faults } = this.#parts;
    const fees = faults.fees ?? terms.fees;
    const feeOf = terms.release === "0.6.0" ? lightningSendFeeInOrder : lightningSendFee;
    const needed = amountSats + feeOf(fees.lightningSend, amountSats, htlcs, this.#tip);
    const given = sumSats(htlcs.map((htlc) => htlc.amountSats));
    if (given < needed) throw badInput(`expected HTLCs of at least ${needed} sat, got ${given}`);
  }

  #checkNotSettled(hash: string, text: string): void {
    const preimage = this.#parts.store.preimage(hash);
    if (preimage) throw badInput(this.#parts.faults.hidePreimages ? text : `${text}, preimage: ${encodeHex(preimage)}`);
  }
}

/** Reads the invoice of an initiation; a signature that no key fits is a failure of the server's own. */
function readPaidInvoice(text: string): Bolt11Invoice {
  try {
    return parseBolt11(text);
  } catch (error) {
    if (!(error instanceof ArkError)) throw error;
    throw (error.code === "INVOICE_SIGNATURE" ? internal : badInput)(`invalid invoice: ${error.message}`);
  }
}

function checkAmount({ amountMsats }: Bolt11Invoice, amountSats: bigint): void {
  if (amountMsats === undefined) return;
  if (amountMsats > amountSats * 1_000n)
    throw badInput(`expected a payment of at least ${amountMsats} msat, got ${amountSats} sat`);
  if ((amountSats * 1_000n) / 2n > amountMsats)
    throw badInput(`expected a payment of at most twice ${amountMsats} msat, got ${amountSats} sat`);
}

/** The one HTLC policy that a package pays to. */
function htlcDestination(inputs: readonly ArkoorServerPart[]): HtlcSendPolicy {
  const policies = inputs.flatMap(({ request }) => [...request.outputs, ...request.isolatedOutputs].map(({ policy }) => policy));
  const htlcs = policies.flatMap((policy) => (policy.kind === "server-htlc-send-v1" ? [policy] : []));
  const [first] = htlcs;
  if (!first) throw badInput("expected a destination of policy server-htlc-send-v1, got none");
  if (!allEqual(htlcs)) throw internal("expected HTLC destinations of one policy, got several");
  return first;
}

function checkRevocationDestinations(policies: readonly UserPolicy[]): void {
  if (!allEqual(policies)) throw internal("expected destinations of one policy, got several");
  const other = policies.find((policy) => policy.kind !== "pubkey");
  if (other) throw badInput(`expected destinations of policy pubkey, got ${other.kind}`);
}

/** The one HTLC policy that a revocation spends. */
function revokedPolicy(inputs: readonly ArkoorServerPart[]): HtlcSendPolicy {
  const policies = inputs.map(({ input }) => input.policy);
  const [first] = policies;
  if (first?.kind !== "server-htlc-send-v1" || !allEqual(policies)) {
    throw internal("expected inputs of one policy server-htlc-send-v1, got others");
  }
  return first;
}

function allEqual(policies: readonly UserPolicy[]): boolean {
  const [first, ...rest] = policies.map(encodePolicy);
  return first === undefined || rest.every((policy) => equalBytes(policy, first));
}
