import type { Client } from "nice-grpc";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../ark/arkoor-request.ts";
import { MAX_GRANTED_VTXOS } from "../ark/htlc-terms.ts";
import { decodeVtxoId, encodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import {
  type ArkServiceDefinition,
  type CheckLightningReceiveResponse,
  LightningReceiveStatus,
} from "../proto/generated/bark_server.ts";
import { decodeCosignResponses, encodeCosignRequests } from "./arkoor-wire.ts";
import type { Caller, CallOptions } from "./calls.ts";
import { StreamError } from "./errors.ts";

/** The server's word on a receive (lightning.md §7); `unspecified` is a value that this build does not know. */
export type ReceiveState = "created" | "accepted" | "htlcs-ready" | "settled" | "canceled" | "unspecified";

/** An invoice to be made. */
export interface ReceiveStart {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array;
  readonly amountSats: bigint;
  /** In blocks (lightning.md §9.2 #3). */
  readonly minCltvDelta: number;
  /** 33 bytes, where the notice goes. */
  readonly mailboxId: Uint8Array;
  readonly description?: string;
}

/** What the server says of a receive: nothing of it is checked. */
export interface ReceiveReport {
  readonly invoice: string;
  readonly amountSats: bigint;
  readonly state: ReceiveState;
  /** One more than `MAX_GRANTED_VTXOS` at most. */
  readonly htlcIds: readonly VtxoId[];
}

/** A request for HTLC VTXOs. */
export interface ReceivePrepare {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array;
  /** The key that gets the HTLCs, 33 bytes: only the first one of a hash counts. */
  readonly userPubkey: Uint8Array;
  readonly htlcExpiryHeight: number;
  /** A VTXO of the wallet with its attestation (64 bytes), against floods (lightning.md §9.4). */
  readonly proof?: { readonly vtxoId: VtxoId; readonly attestation: Uint8Array };
}

/** The claim of a receive: from here on the server has the preimage. */
export interface ReceiveClaimRequest {
  /** 32 bytes each. */
  readonly paymentHash: Uint8Array;
  readonly preimage: Uint8Array;
  readonly parts: readonly ArkoorCosignRequest[];
}

/** The calls of a Lightning receive (lightning.md §7, §9). */
export type LightningReceiveCalls = Pick<LightningReceiveClient, keyof LightningReceiveClient>;

/** Makes them over gRPC. */
export class LightningReceiveClient {
  readonly #ark: Client<typeof ArkServiceDefinition>;
  readonly #caller: Caller;

  constructor(ark: Client<typeof ArkServiceDefinition>, caller: Caller) {
    this.#ark = ark;
    this.#caller = caller;
  }

  /** The invoice, unchecked. The same hash gives the same invoice, as long as nobody paid it. */
  async start(start: ReceiveStart, options?: CallOptions): Promise<string> {
    const { paymentHash, amountSats, minCltvDelta, mailboxId, description } = start;
    const request = { paymentHash, amountSat: amountSats, minCltvDelta, mailboxId, description };
    const run = this.#ark.startLightningReceive;
    return (await this.#caller.unary("StartLightningReceive", (call) => run(request, call), options)).bolt11;
  }

  /** What the server knows of a hash; it never waits, since the server would not wake for every end (lightning.md §7). */
  async check(paymentHash: Uint8Array, options?: CallOptions): Promise<ReceiveReport> {
    const request = { hash: paymentHash, wait: false };
    const run = this.#ark.checkLightningReceive;
    return toReport(await this.#caller.unary("CheckLightningReceive", (call) => run(request, call), options));
  }

  /** The granted VTXOs, unchecked. A server grants once: later calls give the same VTXOs whatever they ask for. */
  async prepare(
    { paymentHash, userPubkey, htlcExpiryHeight, proof }: ReceivePrepare,
    options?: CallOptions,
  ): Promise<{ readonly report: ReceiveReport; readonly vtxos: readonly Uint8Array[] }> {
    const request = {
      paymentHash,
      userPubkey,
      htlcRecvExpiry: htlcExpiryHeight,
      lightningReceiveAntiDos:
        proof === undefined
          ? undefined
          : {
              $case: "inputVtxo" as const,
              value: { vtxoId: encodeVtxoId(proof.vtxoId), attestation: proof.attestation },
            },
    };
    const run = this.#ark.prepareLightningReceiveClaim;
    const answer = await this.#caller.unary("PrepareLightningReceiveClaim", (call) => run(request, call), options);
    if (answer.receive === undefined) throw bad("the state of the receive", "none");
    return { report: toReport(answer.receive), vtxos: bounded(answer.htlcVtxos).map((vtxo) => new Uint8Array(vtxo)) };
  }

  /** Sends the preimage and has the claim cosigned: idempotent for the same outputs (lightning.md §9.5). */
  async claim(
    { paymentHash, preimage, parts }: ReceiveClaimRequest,
    options?: CallOptions,
  ): Promise<readonly ArkoorCosignResponse[]> {
    const request = { paymentHash, paymentPreimage: preimage, cosignRequest: { parts: encodeCosignRequests(parts) } };
    const run = this.#ark.claimLightningReceive;
    return decodeCosignResponses(await this.#caller.unary("ClaimLightningReceive", (call) => run(request, call), options));
  }

  /** Gives an invoice up that nobody paid yet. */
  async cancel(paymentHash: Uint8Array, options?: CallOptions): Promise<void> {
    const run = this.#ark.cancelLightningReceive;
    await this.#caller.unary("CancelLightningReceive", (call) => run({ paymentHash }, call), options);
  }
}

function toReport({ invoice, amountSat, status, htlcVtxos }: CheckLightningReceiveResponse): ReceiveReport {
  return { invoice, amountSats: amountSat, state: toState(status), htlcIds: bounded(htlcVtxos).map(toVtxoId) };
}

/** One more than may be granted, so that too many are noticed without work for each of them. */
function bounded<T>(vtxos: readonly T[]): readonly T[] {
  return vtxos.slice(0, MAX_GRANTED_VTXOS + 1);
}

function toVtxoId(bytes: Uint8Array): VtxoId {
  if (bytes.length !== 36) throw bad("a VTXO id of 36 bytes", `${bytes.length}`);
  return decodeVtxoId(new Uint8Array(bytes));
}

function toState(status: LightningReceiveStatus): ReceiveState {
  switch (status) {
    case LightningReceiveStatus.CREATED:
      return "created";
    case LightningReceiveStatus.ACCEPTED:
      return "accepted";
    case LightningReceiveStatus.HTLCS_READY:
      return "htlcs-ready";
    case LightningReceiveStatus.SETTLED:
      return "settled";
    case LightningReceiveStatus.CANCELED:
      return "canceled";
    default:
      return "unspecified";
  }
}

function bad(expected: string, got: string): StreamError {
  return new StreamError("BAD_RESPONSE", `expected ${expected}, got ${got}`);
}
