// What a Lightning receive looks at and keeps: guards and changes of context of its machine.
import { setup } from "xstate";
import { RECEIVE_CLAIM_BLOCKS } from "../ark/htlc-terms.ts";
import { type ActionOutcome, sumOf } from "./books.ts";
import { effectActions } from "./effects.ts";
import { isForeign, type LightningReceiveContext, type LightningReceiveEvent } from "./lightning-receive.ts";
import { leftOf } from "./package.ts";

/** Types, effects and guards. */
export const definition = setup({
  types: { context: {} as LightningReceiveContext, events: {} as LightningReceiveEvent },
  actions: effectActions(
    "reserveKeys",
    "createCoins",
    "spendCoins",
    "requireExit",
    "writeMovement",
    "requestInvoice",
    "awaitGrant",
    "cancelReceive",
    "vetReveal",
    "claimReceive",
    "deliverPayment",
    "postRecoveryIds",
    "backUpIds",
  ),
  guards: {
    isTakenInPart: ({ event }) => leftOf(event).length > 0,
    isNews: ({ context, event }) =>
      (event.type === "step.delayed" || event.type === "delivery.failed") && event.code !== context.delay,
    isSettled: ({ event }) => event.type === "grant.accepted" && event.isSettled,
    isHopeless: ({ context, event }) =>
      event.type === "reveal.vetted" &&
      // Where the server has the preimage, nothing is given away any more (a salvaged log may not say so).
      event.status !== "settled" &&
      (event.status === "canceled" || event.tipHeight > context.latestExitHeight),
    isForwarded: ({ context, event }) => isForeign(context.destination) && isWhole(context, event),
    isWhole: ({ context, event }) => isWhole(context, event),
    isExitRequired: ({ context, event }) =>
      event.type === "deadline.checked" && context.exitStage !== "required" && event.tipHeight >= context.latestExitHeight,
    isExitNear: ({ context, event }) =>
      event.type === "deadline.checked" &&
      context.exitStage === null &&
      event.tipHeight >= context.latestExitHeight - RECEIVE_CLAIM_BLOCKS,
    isPastExpiry: ({ context, event }) => event.type === "giveUp.requested" && event.tipHeight > context.htlcExpiryHeight,
  },
});

/** The terms that the invoice was asked for with. */
export const request = definition.assign(({ event }) => {
  if (event.type !== "invoice.requested") return {};
  const { paymentHash, salt, keyIndex, amountSats, description, cltvDelta, feeSats, destination, movement } = event;
  return { paymentHash, salt, keyIndex, amountSats, description, cltvDelta, feeSats, destination, movement };
});

/** The invoice that the server made. */
export const keepInvoice = definition.assign(({ event }) =>
  event.type === "invoice.issued" ? { bolt11: event.bolt11, expiresAtMs: event.expiresAtMs } : {},
);

/** HTLCs that are worth the preimage. */
export const keepGrant = definition.assign(({ event }) => {
  if (event.type !== "grant.accepted") return {};
  const { htlcs, feeSats, htlcExpiryHeight, latestExitHeight } = event;
  return { htlcs, feeSats, htlcExpiryHeight, latestExitHeight, delay: null };
});

/** What the claim brought, and the preimage, which is out. */
export const keepClaimed = definition.assign(({ event }) => {
  if (event.type !== "claim.succeeded") return {};
  const coins = event.coins.map(({ id, amountSats, source }) => ({ id, amountSats, source }));
  return { claimed: [...coins, ...event.forwarded], preimage: event.preimage, delay: null };
});

/** Why the state takes longer than it should. */
export const keepDelay = definition.assign(({ event }) =>
  event.type === "step.delayed" || event.type === "delivery.failed" ? { delay: event.code } : {},
);
/** The owner was told that the last height for an exit is near. */
export const noteExitNear = definition.assign({ exitStage: "near" });
/** The owner was told that only an exit is left. */
export const noteExitRequired = definition.assign({ exitStage: "required" });
/** It gets on. */
export const clearDelay = definition.assign({ delay: null });

/** It is received, or delivered. */
export const succeed = definition.assign({ delay: null, outcome: { status: "successful", code: null, message: null } });
/** What the server refused, or granted in vain. */
export const fail = definition.assign(({ event }) => {
  if (event.type !== "invoice.refused" && event.type !== "grant.failed") return {};
  return { delay: null, outcome: { status: "failed" as const, code: event.code, message: event.message } };
});
/** It ends without the money. */
export const end = (status: ActionOutcome["status"], code: string, message: string) =>
  definition.assign({ delay: null, outcome: { status, code, message } });

/** Whether a claim brought all that was granted, to whom it was meant for. */
function isWhole({ destination, htlcs }: LightningReceiveContext, event: LightningReceiveEvent): boolean {
  if (event.type !== "claim.succeeded") return false;
  const { coins, forwarded } = event;
  const [meant, other] = isForeign(destination) ? [forwarded, coins] : [coins, forwarded];
  return sumOf(meant) === sumOf(htlcs) && other.length === 0;
}
