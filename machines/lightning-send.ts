/** Data of a Lightning payment that its machine, its commands and its executors share (lightning.md §8). */
import { sha256 } from "../ark/crypto.ts";
import { decodeHex, encodeHex } from "../ark/hex.ts";
import { lastSendHeight } from "../ark/htlc-terms.ts";
import { type ActionMovement, type ActionOutcome, idsOf, type OwnVtxo, type PaymentInput, sumOf } from "./books.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { CheckedInputs } from "./failed-inputs.ts";

/** What a payment was begun with: fixed from the first record on (lightning.md §8.1). */
export type LightningSendTerms = {
  readonly invoice: string;
  /** SHA-256 of the preimage, hex. */
  readonly paymentHash: string;
  /** Without the fee. */
  readonly amountSats: bigint;
  readonly feeSats: bigint;
  /** In the order of every retry. */
  readonly inputs: readonly PaymentInput[];
  /** Index of the key of HTLCs and change; the next one is for what a revocation gives back. */
  readonly keyIndex: number;
  readonly changePieces: readonly bigint[];
  readonly htlcExpiryHeight: number;
  /** Blocks before the HTLCs' expiry from which on the payment is given up (lightning.md §3, "near expiry"). */
  readonly refreshBlocks: number;
};

/** The package that makes the HTLCs: the same on every retry, and when it is recovered (lightning.md §8.4, S7). */
export type HtlcPackage = Pick<
  LightningSendTerms,
  "inputs" | "paymentHash" | "amountSats" | "feeSats" | "keyIndex" | "changePieces" | "htlcExpiryHeight"
>;

/** A payment whose HTLCs exist. */
export type HeldPayment = Pick<LightningSendTerms, "invoice" | "paymentHash" | "amountSats" | "htlcExpiryHeight" | "keyIndex"> & {
  /** In package order: soonest to expire first (S11). */
  readonly htlcs: readonly OwnVtxo[];
  readonly change: readonly OwnVtxo[];
};

/** Everything that a payment knows. */
export type LightningSendContext = LightningSendTerms & {
  readonly movement: string;
  readonly htlcs: readonly OwnVtxo[];
  readonly change: readonly OwnVtxo[];
  /** What a revocation gave back. */
  readonly refund: readonly OwnVtxo[];
  /** Proof of payment, hex; before the HTLCs exist, evidence that somebody paid the invoice already. */
  readonly preimage: string | null;
  /** Why the payment is given up, or null while it is not. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  /** Why the state takes longer than it should, or null. */
  readonly delay: string | null;
  readonly isExitAllowed: boolean;
  readonly outcome: ActionOutcome | null;
};

/** Before anything happened. */
export const noPayment: LightningSendContext = {
  invoice: "",
  paymentHash: "",
  amountSats: 0n,
  feeSats: 0n,
  inputs: [],
  keyIndex: 0,
  changePieces: [],
  htlcExpiryHeight: 0,
  refreshBlocks: 0,
  movement: "",
  htlcs: [],
  change: [],
  refund: [],
  preimage: null,
  refusal: null,
  delay: null,
  isExitAllowed: false,
  outcome: null,
};

/** What can happen to a payment. */
export type LightningSendEvent =
  | ({
      readonly type: "payment.requested";
      /**
       * Facts: whether no payment has any of the inputs, whether every earlier attempt at this hash failed, and the name
       * of the movement. The key's index is one too.
       */
      readonly inputsAreFree: boolean;
      readonly isNextAttempt: boolean;
      readonly movement: string;
    } & LightningSendTerms)
  | ({
      /** HTLCs of a payment whose log is lost, as the backup of the seed names them (mailbox.md W-48). */
      readonly type: "payment.restored";
      readonly htlcs: readonly OwnVtxo[];
      /** Facts: whether the wallet has none of them, and the name of the movement. */
      readonly areNew: boolean;
      readonly movement: string;
    } & Pick<LightningSendTerms, "paymentHash" | "keyIndex" | "htlcExpiryHeight" | "refreshBlocks">)
  | {
      readonly type: "package.cosigned";
      readonly htlcs: readonly OwnVtxo[];
      readonly change: readonly OwnVtxo[];
      /** Whether it was completed before, by a copy of this wallet or in lost records; only a recovery can tell. */
      readonly wasCompleted?: boolean;
    }
  | { readonly type: "package.refused"; readonly code: string; readonly message: string }
  /** After a refusal, of a package that is not to be completed or cannot be. */
  | ({ readonly type: "inputs.checked" } & CheckedInputs)
  | { readonly type: "payment.initiated" }
  /** `isOpen`: the server says all the same that an attempt is under way. */
  | { readonly type: "payment.refused"; readonly code: string; readonly message: string; readonly isOpen: boolean }
  | { readonly type: "payment.failed" }
  | { readonly type: "payment.pending"; readonly tipHeight: number }
  /** In any way but a notice; hex. */
  | { readonly type: "preimage.learned"; readonly preimage: string }
  /** A notice of the mailbox; without a preimage the payment failed, or something is wrong: the server is asked. */
  | { readonly type: "payment.noticed"; readonly preimage: string | null }
  | { readonly type: "htlcs.revoked"; readonly vtxos: readonly OwnVtxo[] }
  /** A step got no good answer and is tried again. */
  | { readonly type: "step.delayed"; readonly code: string; readonly tipHeight: number }
  /** The tip, whether the server answers or not. */
  | { readonly type: "deadline.checked"; readonly tipHeight: number }
  | { readonly type: "exit.allowed" }
  /** The owner has made the exit, or lets the HTLCs go. */
  | { readonly type: "giveUp.requested"; readonly tipHeight: number };

/** Its events, with how older ones are read. */
export const sendEvents: EventSchemas<LightningSendEvent["type"]> = {
  "payment.requested": [],
  "payment.restored": [],
  "package.cosigned": [],
  "package.refused": [],
  "inputs.checked": [],
  "payment.initiated": [],
  "payment.refused": [],
  "payment.failed": [],
  "payment.pending": [],
  "preimage.learned": [],
  "payment.noticed": [],
  "htlcs.revoked": [],
  "step.delayed": [],
  "deadline.checked": [],
  "exit.allowed": [],
  "giveUp.requested": [],
};

/** Whether a text is 32 bytes in hex that hash to a payment hash: the only proof that a payment succeeded (S8). */
export function isPreimageOf(paymentHash: string, preimage: string | null): preimage is string {
  return preimage !== null && /^[0-9a-f]{64}$/.test(preimage) && encodeHex(sha256(decodeHex(preimage))) === paymentHash;
}

/** Whether a payment has to end: its HTLCs, or VTXOs on which they stand, run out (lightning.md §3, S10). */
export function isSendNearExpiry(context: LightningSendContext, tipHeight: number): boolean {
  const { htlcExpiryHeight, refreshBlocks } = context;
  return tipHeight > Math.max(0, htlcExpiryHeight - refreshBlocks) || isVtxoNearExpiry(context, tipHeight);
}

/**
 * Whether only an exit can save the HTLCs, or the inputs while there are none: the VTXOs expire, or the owner allows it and
 * the payment is near its end.
 */
export function isExitDue(context: LightningSendContext, tipHeight: number): boolean {
  return isVtxoNearExpiry(context, tipHeight) || (context.isExitAllowed && isSendNearExpiry(context, tipHeight));
}

function isVtxoNearExpiry({ htlcs, inputs }: LightningSendContext, tipHeight: number): boolean {
  return tipHeight > lastSendHeight(htlcs.length > 0 ? htlcs : inputs);
}

/**
 * The movement of a payment (lightning.md §11). Of one that was restored the books never had the inputs: what is given back
 * comes in, and nothing that was paid goes out.
 *
 * @param exit whether the HTLCs are to be exited: then they count as the wallet's until the exit is over (§8.9)
 */
export function sendMovementOf(
  context: LightningSendContext,
  status: ActionMovement["status"],
  exit: "none" | "due" | "over" = "none",
): ActionMovement {
  const { movement, invoice, amountSats, feeSats, inputs, htlcs, change, refund, paymentHash, preimage } = context;
  const isRestored = inputs.length === 0;
  const effectiveSats = sumOf(refund) + (exit === "due" ? 0n : -sumOf(htlcs)) + (isRestored ? sumOf(htlcs) : 0n);
  return {
    id: movement,
    subsystem: "bark.lightning_send",
    kind: "send",
    status,
    intendedSats: isRestored ? 0n : -amountSats,
    effectiveSats,
    feeSats: isRestored ? 0n : status === "failed" || exit !== "none" ? -effectiveSats : feeSats,
    // A package that was never completed has spent nothing.
    inputs: status === "failed" && htlcs.length === 0 ? [] : idsOf(inputs),
    outputs: idsOf([...change, ...refund]),
    exited: exit === "none" ? [] : idsOf(htlcs),
    sentTo: isRestored ? [] : [{ destination: invoice, amountSats }],
    receivedOn: [],
    metadata: {
      payment_hash: paymentHash,
      htlc_vtxos: idsOf(htlcs),
      // Of a payment that failed: the evidence that somebody else paid.
      payment_preimage: status === "pending" ? null : preimage,
    },
  };
}
