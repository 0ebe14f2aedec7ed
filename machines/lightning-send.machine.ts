import { type ActionMovement, idsOf } from "./books.ts";
import { entriesOfFailure, exitOf } from "./failed-inputs.ts";
import {
  allowExit,
  begin,
  clearDelay,
  definition,
  fail,
  giveUp,
  keepDelay,
  keepHtlcs,
  keepPreimage,
  keepRefund,
  noteRefusal,
  paidMeanwhile,
  restore,
  runOut,
  succeed,
} from "./lightning-send.changes.ts";
import {
  type HeldPayment,
  type HtlcPackage,
  type LightningSendContext,
  noPayment,
  sendEvents,
  sendMovementOf,
} from "./lightning-send.ts";
import type { MachineDefinition } from "./step.ts";

type Scope = { readonly context: LightningSendContext };

const htlcPackage = ({ context }: Scope): HtlcPackage => {
  const { inputs, paymentHash, amountSats, feeSats, keyIndex, changePieces, htlcExpiryHeight } = context;
  return { inputs, paymentHash, amountSats, feeSats, keyIndex, changePieces, htlcExpiryHeight };
};
const heldPayment = ({ context }: Scope): HeldPayment => {
  const { invoice, paymentHash, amountSats, htlcExpiryHeight, keyIndex, htlcs, change } = context;
  return { invoice, paymentHash, amountSats, htlcExpiryHeight, keyIndex, htlcs, change };
};
const inputIds = ({ context }: Scope) => ({ ids: idsOf(context.inputs) });
const htlcIds = ({ context }: Scope) => ({ ids: idsOf(context.htlcs) });

const writeMovement = (status: ActionMovement["status"]) => ({
  type: "writeMovement" as const,
  params: ({ context }: Scope) => ({ movement: sendMovementOf(context, status) }),
});

const letInputsGo = definition.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== "inputs.checked") return;
  for (const entry of entriesOfFailure(context.inputs, event)) enqueue(entry);
});

/** Without an answer in time, any of them may be spent. */
const exitInputs = { type: "requireExit" as const, params: ({ context }: Scope) => exitOf(context.inputs) };

const recover = { type: "recoverHtlcs" as const, params: htlcPackage };
const initiate = { type: "initiatePayment" as const, params: heldPayment };
const watch = { type: "watchPayment" as const, params: heldPayment };
const revoke = { type: "revokeHtlcs" as const, params: heldPayment };

/** The package is signed: the inputs are gone, its change can be spent, and the HTLCs are this payment's. */
const bookPackage = [
  keepHtlcs,
  { type: "spendCoins" as const, params: inputIds },
  { type: "createCoins" as const, params: ({ context }: Scope) => ({ coins: context.htlcs, locked: true }) },
  { type: "createCoins" as const, params: ({ context }: Scope) => ({ coins: context.change, locked: false }) },
  { type: "offerCoins" as const, params: ({ context }: Scope) => ({ ids: idsOf(context.change) }) },
  writeMovement("pending"),
  { type: "backUpIds" as const, params: ({ context }: Scope) => ({ ids: idsOf([...context.htlcs, ...context.change]) }) },
];

const settle = {
  guard: "isProven" as const,
  target: "Settled",
  actions: [keepPreimage, succeed, { type: "spendCoins" as const, params: htlcIds }, writeMovement("successful")],
};
/** However late, a preimage is proof, and the server's right to the HTLCs (S8). */
const provable = { "preimage.learned": settle, "payment.noticed": settle };
const allowable = { "exit.allowed": { guard: "isNotAllowedYet" as const, actions: [allowExit] } };

const revoked = {
  guard: "isRefunded" as const,
  target: "Revoked",
  actions: [
    keepRefund,
    fail,
    { type: "spendCoins" as const, params: htlcIds },
    { type: "createCoins" as const, params: ({ context }: Scope) => ({ coins: context.refund, locked: false }) },
    { type: "offerCoins" as const, params: ({ context }: Scope) => ({ ids: idsOf(context.refund) }) },
    writeMovement("failed"),
    { type: "backUpIds" as const, params: ({ context }: Scope) => ({ ids: idsOf(context.refund) }) },
  ],
};
/**
 * With the preimage the server could take whole HTLCs for a payment that somebody else made: none is made any more. Those that
 * were whole before it has already, and they may be what the preimage was paid with.
 */
const cosignedInVain = { guard: "isInVain" as const, target: "Recovering", actions: [paidMeanwhile, recover] };
const evidence = { guard: "isNewEvidence" as const, actions: [keepPreimage] };
const delayed = { guard: "isNews" as const, actions: [keepDelay] };
const tooLate = { guard: "isNearExpiry" as const, target: "Recovering", actions: [runOut, recover] };
const outOfTime = { guard: "isNearExpiry" as const, target: "RevocableHtlcs", actions: [runOut, revoke] };
/** What only the chain says: the server need not answer, and perhaps never does (S10). */
const exitDue = [
  { type: "requireExit" as const, params: ({ context }: Scope) => exitOf(context.htlcs) },
  {
    type: "writeMovement" as const,
    params: ({ context }: Scope) => ({ movement: sendMovementOf(context, "pending", "due") }),
  },
  revoke,
];
/** What the owner says: the HTLCs leave the wallet, whoever has them now (§8.9). */
const exitOver = {
  guard: "isPastExpiry" as const,
  target: "GivenUp",
  actions: [
    giveUp("GIVEN_UP", "the owner exited the HTLCs, or gave them up"),
    fail,
    { type: "spendCoins" as const, params: htlcIds },
    {
      type: "writeMovement" as const,
      params: ({ context }: Scope) => ({ movement: sendMovementOf(context, "failed", "over") }),
    },
  ],
};
const exitAtDeadline = { guard: "isExitDue" as const, target: "Exiting", actions: exitDue };
const refused = [
  { guard: "isOpen" as const, target: "PaymentInitiated", actions: [clearDelay, watch] },
  { target: "RevocableHtlcs", actions: [noteRefusal, revoke] },
];

/** `lightning-send/<payment hash>/<attempt>`: Start → HtlcReceived → PaymentInitiated → Settled, or → RevocableHtlcs → Revoked. */
export const lightningSendMachine: MachineDefinition = {
  name: "lightning-send",
  revision: 1,
  events: sendEvents,
  logic: definition.createMachine({
    id: "lightning-send",
    initial: "Requested",
    context: noPayment,
    states: {
      Requested: {
        on: {
          "payment.requested": {
            guard: "isAllowed",
            target: "Start",
            actions: [
              begin,
              { type: "lockCoins", params: inputIds },
              { type: "reserveKeys", params: ({ context }) => ({ from: context.keyIndex, count: 2 }) },
              writeMovement("pending"),
              { type: "cosignHtlcs", params: htlcPackage },
            ],
          },
          // Of a restored wallet (mailbox.md W-48): unless it was paid, everything is asked back.
          "payment.restored": {
            guard: "isRestorable",
            target: "RevocableHtlcs",
            actions: [
              restore,
              giveUp("RESTORED", "the wallet was restored from its seed: what the payment had was asked back"),
              { type: "createCoins", params: ({ context }) => ({ coins: context.htlcs, locked: true }) },
              { type: "reserveKeys", params: ({ context }) => ({ from: context.keyIndex, count: 2 }) },
              writeMovement("pending"),
              revoke,
            ],
          },
        },
      },
      /**
       * Sent: the package, perhaps several times, always the same one. Awaited: the server's signatures. At risk: nothing,
       * since no HTLC is whole; but the server may call the inputs spent.
       */
      Start: {
        on: {
          "package.cosigned": [
            cosignedInVain,
            { guard: "isBalanced", target: "HtlcReceived", actions: [...bookPackage, initiate] },
          ],
          "package.refused": { target: "Recovering", actions: [noteRefusal, recover] },
          "step.delayed": [tooLate, delayed],
          "deadline.checked": tooLate,
          // Somebody else paid the invoice: nothing is signed any more (§10).
          "payment.noticed": evidence,
          ...allowable,
        },
      },
      /**
       * The package was refused, but an earlier copy of it may have been carried out (S7). Awaited: the state of the inputs;
       * if they are spent, the signatures, to give the HTLCs back at once. At risk: the inputs, if they expire before there is
       * an answer: then they are to be exited. The server has no signatures with which it could contest that.
       */
      Recovering: {
        on: {
          "package.cosigned": [
            cosignedInVain,
            { guard: "isBalanced", target: "RevocableHtlcs", actions: [...bookPackage, revoke] },
          ],
          "inputs.checked": { target: "Failed", actions: [fail, letInputsGo, writeMovement("failed")] },
          "deadline.checked": { guard: "isExitDue", target: "Failed", actions: [fail, exitInputs, writeMovement("failed")] },
          "step.delayed": delayed,
          "preimage.learned": evidence,
          "payment.noticed": evidence,
          ...allowable,
        },
      },
      /**
       * The HTLCs are whole. Sent: their signatures, and the request to pay. Awaited: that the server accepts it, which
       * promises nothing. At risk: the HTLCs, if the server pays; not the fee, if it does not.
       */
      HtlcReceived: {
        on: {
          "payment.initiated": { target: "PaymentInitiated", actions: [clearDelay, watch] },
          "payment.refused": refused,
          "step.delayed": [outOfTime, delayed],
          "deadline.checked": outOfTime,
          ...provable,
          ...allowable,
        },
      },
      /** Awaited: a preimage, or that the payment failed. At risk: the HTLCs, until their expiry is near. */
      PaymentInitiated: {
        on: {
          "payment.failed": {
            target: "RevocableHtlcs",
            actions: [giveUp("PAYMENT_FAILED", "the server could not pay the invoice"), revoke],
          },
          "payment.pending": outOfTime,
          "payment.refused": refused,
          "step.delayed": [outOfTime, delayed],
          "deadline.checked": outOfTime,
          ...provable,
          ...allowable,
        },
      },
      /** Sent: the package that gives everything back. Awaited: the server's signatures, or a late preimage. */
      RevocableHtlcs: {
        on: {
          "htlcs.revoked": revoked,
          "step.delayed": { target: "RevocationStuck", actions: [keepDelay, revoke] },
          "deadline.checked": exitAtDeadline,
          ...provable,
          ...allowable,
        },
      },
      /**
       * The server did not revoke: it may still be paying. Awaited: the same as before, with ever longer waits. At risk: the
       * HTLCs, if their VTXOs expire first.
       */
      RevocationStuck: {
        on: {
          "htlcs.revoked": revoked,
          "step.delayed": [{ guard: "isExitDue", target: "Exiting", actions: [keepDelay, ...exitDue] }, delayed],
          "deadline.checked": exitAtDeadline,
          ...provable,
          ...allowable,
        },
      },
      /** Only an exit is sure to bring the HTLCs back, and the owner has to make it. The server is asked on (S9). */
      Exiting: { on: { "htlcs.revoked": revoked, "step.delayed": delayed, "giveUp.requested": exitOver, ...provable } },
      Settled: { type: "final" },
      Revoked: { type: "final" },
      Failed: { type: "final" },
      GivenUp: { type: "final" },
    },
  }),
};
