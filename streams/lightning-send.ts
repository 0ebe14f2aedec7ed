import type { Client } from "nice-grpc";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../ark/arkoor-request.ts";
import { encodeVtxoId, type VtxoId } from "../ark/vtxo-id.ts";
import type { ArkServiceDefinition } from "../proto/generated/bark_server.ts";
import { decodeCosignResponses, encodeCosignRequests } from "./arkoor-wire.ts";
import type { Caller, CallOptions } from "./calls.ts";

/** A request to pay an invoice. */
export interface PaymentStart {
  readonly invoice: string;
  /** In package order (lightning.md S11). */
  readonly htlcIds: readonly VtxoId[];
  /** Without the fee. */
  readonly amountSats: bigint;
  /** 33 bytes, where the notice goes. */
  readonly mailboxId: Uint8Array;
}

/** The server's word on a payment; a preimage is unchecked. `unspecified` is no usable answer. */
export type PaymentReport =
  | { readonly state: "succeeded"; readonly preimage: Uint8Array }
  | { readonly state: "failed" | "pending" | "unspecified" };

/** The calls of a Lightning payment (lightning.md §7, §8). */
export class LightningSendCalls {
  readonly #ark: Client<typeof ArkServiceDefinition>;
  readonly #caller: Caller;

  constructor(ark: Client<typeof ArkServiceDefinition>, caller: Caller) {
    this.#ark = ark;
    this.#caller = caller;
  }

  /** Has the package cosigned that makes the HTLCs: idempotent, but its conditions are looked at each time (S7). */
  async cosign(parts: readonly ArkoorCosignRequest[], options?: CallOptions): Promise<readonly ArkoorCosignResponse[]> {
    const request = { parts: encodeCosignRequests(parts) };
    const run = this.#ark.requestLightningPayHtlcCosign;
    const method = "RequestLightningPayHtlcCosign";
    return decodeCosignResponses(await this.#caller.unary(method, (call) => run(request, call), options));
  }

  /** Asks the server to pay. No error means that it will look at it, not that a payment exists (lightning.md §8.5). */
  async initiate({ invoice, htlcIds, amountSats, mailboxId }: PaymentStart, options?: CallOptions): Promise<void> {
    const request = { invoice, htlcVtxoIds: htlcIds.map(encodeVtxoId), paymentAmountSat: amountSats, mailboxId };
    const run = this.#ark.initiateLightningPayment;
    await this.#caller.unary("InitiateLightningPayment", (call) => run(request, call), options);
  }

  /** What became of the latest attempt at a hash; `SERVER_NOT_FOUND` if there was none. It never waits. */
  async check(paymentHash: Uint8Array, options?: CallOptions): Promise<PaymentReport> {
    const request = { hash: paymentHash, wait: false };
    const run = this.#ark.checkLightningPayment;
    const { paymentStatus } = await this.#caller.unary("CheckLightningPayment", (call) => run(request, call), options);
    switch (paymentStatus?.$case) {
      case "success":
        return { state: "succeeded", preimage: new Uint8Array(paymentStatus.value.preimage) };
      case "failed":
      case "pending":
        return { state: paymentStatus.$case };
      default:
        return { state: "unspecified" };
    }
  }

  /** Has the package cosigned that gives the HTLCs back: idempotent (lightning.md §8.8). */
  async revoke(parts: readonly ArkoorCosignRequest[], options?: CallOptions): Promise<readonly ArkoorCosignResponse[]> {
    const request = { parts: encodeCosignRequests(parts) };
    const run = this.#ark.requestLightningPayHtlcRevocation;
    const method = "RequestLightningPayHtlcRevocation";
    return decodeCosignResponses(await this.#caller.unary(method, (call) => run(request, call), options));
  }
}
