// A payment to an Ark address (arkoor.md §11).
//
//   owner             arkoor-send                       executors → server
//      │ payment.requested │                                 │
//      ├──────────────────▶│ Cosigning ─── cosignPayment ───▶│ registers the inputs, RequestArkoorCosign
//      │                   │◀─────────────── package.refused ┤ Failed: the inputs are free again
//      │                   │◀────────────── deadline.checked ┤ Failed: the inputs are near their expiry, an exit is required
//      │                   │◀────────────── package.cosigned ┤
//      │                   │ Registering ─ registerPayment ─▶│ RegisterVtxoTransactions
//      │                   │◀──────────── package.registered ┤
//      │                   │ Delivering ─── deliverPayment ─▶│ PostArkoorMessage to each mailbox of the address
//      │                   │◀─────────────── delivery.failed ┤ Delivering: again after a while
//      │                   │◀───────────── package.delivered ┤
//      │                   │ Delivered                       │
import { setup } from "xstate";
import { changePieces } from "../ark/arkoor-allocation.ts";
import { lastSendHeight } from "../ark/htlc-terms.ts";
import {
  type ActionMovement,
  type ActionOutcome,
  type ForeignVtxo,
  idsOf,
  type OwnVtxo,
  type PaymentInput,
  sumOf,
} from "./books.ts";
import { effectActions } from "./effects.ts";
import type { EventSchemas } from "./event-schemas.ts";
import { type CheckedInputs, entriesOfFailure, exitOf } from "./failed-inputs.ts";
import type { MachineDefinition } from "./step.ts";

type ArkoorSendContext = {
  readonly movement: string;
  readonly address: string;
  readonly amountSats: bigint;
  /** In the order of every retry (arkoor.md §11.3). */
  readonly inputs: readonly PaymentInput[];
  readonly changeKeyIndex: number;
  readonly changePieces: readonly bigint[];
  readonly paid: readonly ForeignVtxo[];
  readonly change: readonly OwnVtxo[];
  /** Why the last attempt to deliver did not succeed. */
  readonly delay: string | null;
  readonly outcome: ActionOutcome | null;
};

type ArkoorSendEvent =
  | {
      readonly type: "payment.requested";
      readonly address: string;
      readonly amountSats: bigint;
      readonly inputs: readonly PaymentInput[];
      /** Facts: whether no payment has any of the inputs, the next fresh key, and the name of the movement. */
      readonly inputsAreFree: boolean;
      readonly keyIndex: number;
      readonly movement: string;
    }
  | { readonly type: "package.cosigned"; readonly paid: readonly ForeignVtxo[]; readonly change: readonly OwnVtxo[] }
  | ({ readonly type: "package.refused"; readonly code: string; readonly message: string } & CheckedInputs)
  /** The tip, whether the server answers or not. */
  | { readonly type: "deadline.checked"; readonly tipHeight: number }
  | { readonly type: "package.registered"; readonly refusal: string | null }
  | { readonly type: "delivery.failed"; readonly code: string }
  | { readonly type: "package.delivered" };

const events: EventSchemas<ArkoorSendEvent["type"]> = {
  "payment.requested": [],
  "package.cosigned": [],
  "package.refused": [],
  "deadline.checked": [],
  "package.registered": [],
  "delivery.failed": [],
  "package.delivered": [],
};

const definition = setup({
  types: { context: {} as ArkoorSendContext, events: {} as ArkoorSendEvent },
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
    "cosignPayment",
    "registerPayment",
    "deliverPayment",
  ),
  guards: {
    isCovered: ({ event }) =>
      event.type === "payment.requested" && event.inputsAreFree && sumOf(event.inputs) >= event.amountSats,
    isBalanced: ({ context, event }) =>
      event.type === "package.cosigned" &&
      sumOf(event.paid) === context.amountSats &&
      sumOf(event.paid) + sumOf(event.change) === sumOf(context.inputs),
    isExitDue: ({ context, event }) => event.type === "deadline.checked" && event.tipHeight > lastSendHeight(context.inputs),
    isNews: ({ context, event }) => event.type === "delivery.failed" && event.code !== context.delay,
  },
});

const begin = definition.assign(({ event }) => {
  if (event.type !== "payment.requested") return {};
  const { movement, address, amountSats, inputs, keyIndex } = event;
  const pieces = changePieces(sumOf(inputs) - amountSats, amountSats);
  return { movement, address, amountSats, inputs, changeKeyIndex: keyIndex, changePieces: pieces };
});

const keepResults = definition.assign(({ event }) =>
  event.type === "package.cosigned" ? { paid: event.paid, change: event.change } : {},
);

const fail = definition.assign(({ event }) => {
  if (event.type !== "package.refused") return {};
  const { code, message } = event;
  return { outcome: { status: "failed" as const, code, message } };
});

const runOut = definition.assign({
  outcome: {
    status: "failed",
    code: "NEAR_EXPIRY",
    message: "the server did not answer before the inputs were near their expiry",
  },
});

const letInputsGo = definition.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== "package.refused") return;
  for (const entry of entriesOfFailure(context.inputs, event)) enqueue(entry);
});

const backUpChange = definition.enqueueActions(({ context, enqueue }) => {
  if (context.change.length > 0) enqueue({ type: "backUpIds", params: { ids: idsOf(context.change) } });
});

const keepDelay = definition.assign(({ event }) => (event.type === "delivery.failed" ? { delay: event.code } : {}));

const succeed = definition.assign({ delay: null, outcome: { status: "successful", code: null, message: null } });

type Scope = { readonly context: ArkoorSendContext };

const inputIds = ({ context }: Scope) => ({ ids: idsOf(context.inputs) });

const writeMovement = (status: ActionMovement["status"]) => ({
  type: "writeMovement" as const,
  params: ({ context }: Scope) => ({ movement: movementOf(context, status) }),
});

/** `arkoor-send/<random>`: Cosigning → Registering → Delivering → Delivered, or Failed. */
export const arkoorSendMachine: MachineDefinition = {
  name: "arkoor-send",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "arkoor-send",
    initial: "Requested",
    context: {
      movement: "",
      address: "",
      amountSats: 0n,
      inputs: [],
      changeKeyIndex: 0,
      changePieces: [],
      paid: [],
      change: [],
      delay: null,
      outcome: null,
    },
    states: {
      Requested: {
        on: {
          "payment.requested": {
            guard: "isCovered",
            target: "Cosigning",
            actions: [
              begin,
              { type: "lockCoins", params: inputIds },
              { type: "reserveKeys", params: ({ context }) => ({ from: context.changeKeyIndex, count: 1 }) },
              {
                type: "cosignPayment",
                params: ({ context: { inputs, address, amountSats, changeKeyIndex, changePieces } }) => ({
                  inputs,
                  address,
                  amountSats,
                  changeKeyIndex,
                  changePieces,
                }),
              },
            ],
          },
        },
      },
      /**
       * Sent: the package, perhaps several times, always the same one. Awaited: the server's signatures. At risk: nothing;
       * the server may call the inputs spent, and then answers the same package again. Without an answer until they are near
       * their expiry they are to be exited: the server has no signatures with which it could contest that.
       */
      Cosigning: {
        on: {
          "package.cosigned": {
            guard: "isBalanced",
            target: "Registering",
            actions: [
              keepResults,
              { type: "spendCoins", params: inputIds },
              { type: "createCoins", params: ({ context }) => ({ coins: context.change, locked: false }) },
              writeMovement("pending"),
              {
                type: "registerPayment",
                params: ({ context: { paid, change } }) => ({
                  sources: [...paid, ...change].map(({ source }) => source),
                }),
              },
              backUpChange,
            ],
          },
          "package.refused": { target: "Failed", actions: [fail, letInputsGo] },
          "deadline.checked": {
            guard: "isExitDue",
            target: "Failed",
            actions: [runOut, { type: "requireExit", params: ({ context }) => exitOf(context.inputs) }],
          },
        },
      },
      /**
       * The money has left. Awaited: that the server has all signatures. A refusal does not stop the delivery: the recipient
       * has what an exit needs. Nor does it freeze the change, which is registered again when it is spent.
       */
      Registering: {
        on: {
          "package.registered": {
            target: "Delivering",
            actions: [
              { type: "offerCoins", params: ({ context }) => ({ ids: idsOf(context.change) }) },
              {
                type: "deliverPayment",
                params: ({ context: { address, paid } }) => ({ address, sources: paid.map(({ source }) => source) }),
              },
            ],
          },
        },
      },
      /** Awaited: one mailbox that takes the VTXOs. At risk: the recipient's money, of which this log has the only copy. */
      Delivering: {
        on: {
          "delivery.failed": { guard: "isNews", actions: [keepDelay] },
          "package.delivered": { target: "Delivered", actions: [succeed, writeMovement("successful")] },
        },
      },
      Delivered: { type: "final" },
      Failed: { type: "final" },
    },
  }),
};

function movementOf(context: ArkoorSendContext, status: ActionMovement["status"]): ActionMovement {
  const { movement, address, amountSats, inputs, change } = context;
  return {
    id: movement,
    subsystem: "bark.arkoor",
    kind: "send",
    status,
    intendedSats: -amountSats,
    effectiveSats: -amountSats,
    feeSats: 0n,
    inputs: idsOf(inputs),
    outputs: idsOf(change),
    exited: [],
    sentTo: [{ destination: address, amountSats }],
    receivedOn: [],
    metadata: {},
  };
}
