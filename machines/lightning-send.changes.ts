// What a Lightning payment looks at and keeps: guards and changes of context of its machine.
import { setup } from "xstate";
import { type ActionOutcome, sumOf } from "./books.ts";
import { effectActions } from "./effects.ts";
import {
  isExitDue,
  isPreimageOf,
  isSendNearExpiry,
  type LightningSendContext,
  type LightningSendEvent,
} from "./lightning-send.ts";

/** Types, effects and guards. */
export const definition = setup({
  types: { context: {} as LightningSendContext, events: {} as LightningSendEvent },
  actions: effectActions(
    "lockCoins",
    "releaseCoins",
    "doubtCoins",
    "spendCoins",
    "createCoins",
    "offerCoins",
    "requireExit",
    "reserveKeys",
    "writeMovement",
    "backUpIds",
    "cosignHtlcs",
    "recoverHtlcs",
    "initiatePayment",
    "watchPayment",
    "revokeHtlcs",
  ),
  guards: {
    isAllowed: ({ event }) =>
      event.type === "payment.requested" &&
      event.inputsAreFree &&
      event.isNextAttempt &&
      event.amountSats > 0n &&
      sumOf(event.inputs) === event.amountSats + event.feeSats + event.changePieces.reduce((sum, piece) => sum + piece, 0n),
    isRestorable: ({ event }) => event.type === "payment.restored" && event.areNew && event.htlcs.length > 0,
    isBalanced: ({ context, event }) =>
      event.type === "package.cosigned" &&
      sumOf(event.htlcs) === context.amountSats + context.feeSats &&
      sumOf(event.htlcs) + sumOf(event.change) === sumOf(context.inputs),
    isRefunded: ({ context, event }) => event.type === "htlcs.revoked" && sumOf(event.vtxos) === sumOf(context.htlcs),
    isProven: ({ context, event }) => isPreimageOf(context.paymentHash, preimageIn(event)),
    isNewEvidence: ({ context, event }) => context.preimage === null && isPreimageOf(context.paymentHash, preimageIn(event)),
    isOpen: ({ event }) => event.type === "payment.refused" && event.isOpen,
    isNearExpiry: ({ context, event }) => "tipHeight" in event && isSendNearExpiry(context, event.tipHeight),
    isExitDue: ({ context, event }) => "tipHeight" in event && isExitDue(context, event.tipHeight),
    isNews: ({ context, event }) => event.type === "step.delayed" && event.code !== context.delay,
    isInVain: ({ context, event }) =>
      context.preimage !== null && !(event.type === "package.cosigned" && event.wasCompleted === true),
    isPastExpiry: ({ context, event }) => event.type === "giveUp.requested" && event.tipHeight > context.htlcExpiryHeight,
    isNotAllowedYet: ({ context }) => !context.isExitAllowed,
  },
});

function preimageIn(event: LightningSendEvent): string | null {
  return event.type === "preimage.learned" || event.type === "payment.noticed" ? event.preimage : null;
}

/** The terms that the payment was asked for with. */
export const begin = definition.assign(({ event }) => {
  if (event.type !== "payment.requested") return {};
  const { invoice, paymentHash, amountSats, feeSats, inputs, keyIndex, changePieces, movement } = event;
  const { htlcExpiryHeight, refreshBlocks } = event;
  return { invoice, paymentHash, amountSats, feeSats, inputs, keyIndex, changePieces, movement, htlcExpiryHeight, refreshBlocks };
});

/** What a restore found of a payment. */
export const restore = definition.assign(({ event }) => {
  if (event.type !== "payment.restored") return {};
  const { paymentHash, htlcs, keyIndex, movement, htlcExpiryHeight, refreshBlocks } = event;
  return { paymentHash, htlcs, amountSats: sumOf(htlcs), keyIndex, movement, htlcExpiryHeight, refreshBlocks };
});

/** The package is signed. */
export const keepHtlcs = definition.assign(({ event }) =>
  event.type === "package.cosigned" ? { htlcs: event.htlcs, change: event.change, delay: null } : {},
);
/** What a revocation gave back. */
export const keepRefund = definition.assign(({ event }) => (event.type === "htlcs.revoked" ? { refund: event.vtxos } : {}));
/** Proof, or evidence before there are HTLCs. */
export const keepPreimage = definition.assign(({ event }) => ({ preimage: preimageIn(event) }));
/** Why the state takes longer than it should. */
export const keepDelay = definition.assign(({ event }) => (event.type === "step.delayed" ? { delay: event.code } : {}));
/** It gets on. */
export const clearDelay = definition.assign({ delay: null });
/** The owner lets an exit be asked for near the expiry of the HTLCs. */
export const allowExit = definition.assign({ isExitAllowed: true });

/** Why the server does not do it. */
export const noteRefusal = definition.assign(({ event }) => {
  if (event.type !== "package.refused" && event.type !== "payment.refused") return {};
  const { code, message } = event;
  return { refusal: { code, message }, delay: null };
});
/** Why the wallet does not go on with it. */
export const giveUp = (code: string, message: string) => definition.assign({ refusal: { code, message }, delay: null });
/** Somebody else paid: see {@link giveUp}. */
export const paidMeanwhile = giveUp("INVOICE_PAID", "the preimage of the invoice is out: somebody paid it meanwhile");
/** Its time is over: see {@link giveUp}. */
export const runOut = giveUp("NEAR_EXPIRY", "the payment was not done in time");

/** It is paid. */
export const succeed = definition.assign({ delay: null, outcome: { status: "successful", code: null, message: null } });
/** It is not paid, for the reason that was noted. */
export const fail = definition.assign(({ context: { refusal } }) => {
  const outcome: ActionOutcome = { status: "failed", code: refusal?.code ?? null, message: refusal?.message ?? null };
  return { delay: null, outcome };
});
