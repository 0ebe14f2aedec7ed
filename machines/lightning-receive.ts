/** Data of a Lightning receive that its machine, its commands and its executors share (lightning.md §9). */
import { type ActionMovement, type ActionOutcome, type ForeignVtxo, idsOf, type OwnVtxo, sumOf } from "./books.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { TakenInPart, VtxoSource } from "./package.ts";

/** What an invoice was made with: fixed from the first record on (lightning.md §9.1). */
export type InvoiceTerms = {
  /** SHA-256 of the preimage, hex. */
  readonly paymentHash: string;
  /** The preimage is the HMAC of these 16 bytes, hex, under a key of the seed. */
  readonly salt: string;
  /** Index of the key that owns the HTLCs. */
  readonly keyIndex: number;
  readonly amountSats: bigint;
  readonly description: string | null;
  /** The CLTV delta that is asked for, in blocks. */
  readonly cltvDelta: number;
  /** The fee by the schedule of that moment; the grant may cost no more (R1). */
  readonly feeSats: bigint;
  /** The address that gets the money, or null for the key of the HTLCs. */
  readonly destination: ClaimDestination | null;
  /** The invoice; null until the server issued it. */
  readonly bolt11: string | null;
  /** When the invoice expires. */
  readonly expiresAtMs: number;
};

/** An Ark address, with the index of its key where it is the wallet's own. */
export type ClaimDestination = { readonly address: string; readonly keyIndex: number | null };

/** HTLC VTXOs that passed every check of lightning.md §9.4. */
export type Grant = {
  /** In the order of their ids' raw bytes. */
  readonly htlcs: readonly OwnVtxo[];
  readonly feeSats: bigint;
  readonly htlcExpiryHeight: number;
  /** The last height at which an exit is sure to end in time (R7). */
  readonly latestExitHeight: number;
};

/** What a claim needs; the same claim gives the same transactions, however often it is made. */
export type ReceiveClaim = Pick<InvoiceTerms, "paymentHash" | "salt" | "keyIndex" | "destination"> & {
  /** Σ of the HTLCs. */
  readonly amountSats: bigint;
  /** Of the HTLCs, in the order of their ids' raw bytes. */
  readonly sources: readonly VtxoSource[];
};

/** How near the moment is at which only an exit saves the money. */
type ExitStage = "near" | "required";

/** The server's word on a receive that was granted; `settled`: it has the preimage. */
export type ReceiveStatus = "open" | "settled" | "canceled";

/** Everything that a receive knows. */
export type LightningReceiveContext = InvoiceTerms &
  Grant & {
    readonly movement: string;
    /** What was claimed, and is the other wallet's where there is a destination. */
    readonly claimed: readonly ForeignVtxo[];
    /** Hex; null until the claim succeeded (R9). */
    readonly preimage: string | null;
    readonly exitStage: ExitStage | null;
    /** Why the state takes longer than it should, or null. */
    readonly delay: string | null;
    readonly outcome: ActionOutcome | null;
  };

/** What can happen to a receive. */
export type LightningReceiveEvent =
  | ({
      readonly type: "invoice.requested";
      /** Fact: the name of the movement. The key's index is one too. */
      readonly movement: string;
    } & Omit<InvoiceTerms, "bolt11" | "expiresAtMs">)
  | { readonly type: "invoice.issued"; readonly bolt11: string; readonly expiresAtMs: number }
  | { readonly type: "invoice.refused"; readonly code: string; readonly message: string }
  | { readonly type: "invoice.expired" }
  | ({
      readonly type: "grant.accepted";
      /** Whether the server has the preimage already (R8). */
      readonly isSettled: boolean;
    } & Grant)
  | { readonly type: "grant.failed"; readonly code: string; readonly message: string }
  | { readonly type: "reveal.vetted"; readonly tipHeight: number; readonly status: ReceiveStatus }
  | {
      readonly type: "claim.succeeded";
      /** What is the wallet's, or else the other wallet's: together as much as the HTLCs. */
      readonly coins: readonly OwnVtxo[];
      readonly forwarded: readonly ForeignVtxo[];
      /** Hex. */
      readonly preimage: string;
    }
  | ({ readonly type: "recoveryIds.posted" } & TakenInPart)
  | { readonly type: "package.delivered" }
  | { readonly type: "delivery.failed"; readonly code: string }
  /** The step does not get on: it is tried again after a while, or, out of its budget, when something happens. */
  | { readonly type: "step.delayed"; readonly code: string }
  | { readonly type: "cancel.requested" }
  | { readonly type: "receive.cancelled" }
  | { readonly type: "deadline.checked"; readonly tipHeight: number }
  | { readonly type: "giveUp.requested"; readonly tipHeight: number };

/** Its events, with how older ones are read. */
export const receiveEvents: EventSchemas<LightningReceiveEvent["type"]> = {
  "invoice.requested": [],
  "invoice.issued": [],
  "invoice.refused": [],
  "invoice.expired": [],
  "grant.accepted": [],
  "grant.failed": [],
  "reveal.vetted": [],
  "claim.succeeded": [],
  "recoveryIds.posted": [],
  "package.delivered": [],
  "delivery.failed": [],
  "step.delayed": [],
  "cancel.requested": [],
  "receive.cancelled": [],
  "deadline.checked": [],
  "giveUp.requested": [],
};

/** Whether the money is another wallet's. */
export function isForeign(destination: ClaimDestination | null): boolean {
  return destination !== null && destination.keyIndex === null;
}

/**
 * The movement of a receive (lightning.md §11). It never shows a preimage before the claim succeeded (R9).
 *
 * @param effective whether the wallet has the HTLCs, or what came out of them
 */
export function receiveMovementOf(
  context: LightningReceiveContext,
  status: ActionMovement["status"],
  effective: "htlcs" | "nothing",
): ActionMovement {
  const { movement, amountSats, bolt11, feeSats, htlcs, destination, claimed, paymentHash, preimage } = context;
  const isForwarded = isForeign(destination) && claimed.length > 0;
  return {
    id: movement,
    subsystem: "bark.lightning_receive",
    kind: "receive",
    status,
    intendedSats: amountSats,
    effectiveSats: effective === "htlcs" ? sumOf(htlcs) : 0n,
    feeSats,
    inputs: [],
    outputs: isForwarded ? [] : idsOf(claimed),
    exited: [],
    sentTo: isForwarded ? [{ destination: destination?.address ?? "", amountSats: sumOf(claimed) }] : [],
    receivedOn: [{ destination: bolt11 ?? "", amountSats: sumOf(htlcs) + feeSats }],
    metadata: { payment_hash: paymentHash, htlc_vtxos: idsOf(htlcs), payment_preimage: preimage },
  };
}
