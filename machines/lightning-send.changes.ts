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
    hasEvidence: ({ context }) => context.preimage !== null,
    isPastExpiry: ({ context, event }) => event.type === "giveUp.requested" && event.tipHeight > context.htlcExpiryHeight,
    isNotAllowedYet: ({ context }) => !context.isExitAllowed,
  },
});

function preimageIn(event: LightningSendEvent): string | null {
  return event.type === "preimage.learned" || event.type === "payment.noticed" ? event.preimage : null;
}

const begin = definition.assign(({ event }) => {
  if (event.type !== "payment.requested") return {};
  const { invoice, paymentHash, amountSats, feeSats, inputs, keyIndex, changePieces, movement } = event;
  const { htlcExpiryHeight, refreshBlocks } = event;
  return { invoice, paymentHash, amountSats, feeSats, inputs, keyIndex, changePieces, movement, htlcExpiryHeight, refreshBlocks };
});

const restore = definition.assign(({ event }) => {
  if (event.type !== "payment.restored") return {};
  const { paymentHash, htlcs, keyIndex, movement, htlcExpiryHeight, refreshBlocks } = event;
  return { paymentHash, htlcs, amountSats: sumOf(htlcs), keyIndex, movement, htlcExpiryHeight, refreshBlocks };
});

const keepHtlcs = definition.assign(({ event }) =>
  event.type === "package.cosigned" ? { htlcs: event.htlcs, change: event.change, delay: null } : {},
);
const keepRefund = definition.assign(({ event }) => (event.type === "htlcs.revoked" ? { refund: event.vtxos } : {}));
const keepPreimage = definition.assign(({ event }) => ({ preimage: preimageIn(event) }));
const keepDelay = definition.assign(({ event }) => (event.type === "step.delayed" ? { delay: event.code } : {}));
const clearDelay = definition.assign({ delay: null });
const allowExit = definition.assign({ isExitAllowed: true });

const noteRefusal = definition.assign(({ event }) => {
  if (event.type !== "package.refused" && event.type !== "payment.refused") return {};
  const { code, message } = event;
  return { refusal: { code, message }, delay: null };
});
const giveUp = (code: string, message: string) => definition.assign({ refusal: { code, message }, delay: null });
const paidMeanwhile = giveUp("INVOICE_PAID", "the preimage of the invoice is out: somebody paid it meanwhile");
const runOut = giveUp("NEAR_EXPIRY", "the payment was not done in time");

const succeed = definition.assign({ delay: null, outcome: { status: "successful", code: null, message: null } });
const fail = definition.assign(({ context: { refusal } }) => {
  const outcome: ActionOutcome = { status: "failed", code: refusal?.code ?? null, message: refusal?.message ?? null };
  return { delay: null, outcome };
});

/** What its transitions keep. */
export const changes = {
  begin,
  restore,
  keepHtlcs,
  keepRefund,
  keepPreimage,
  keepDelay,
  clearDelay,
  allowExit,
  noteRefusal,
  giveUp,
  paidMeanwhile,
  runOut,
  succeed,
  fail,
};
