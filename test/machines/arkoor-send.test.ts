import { expect, test } from "vitest";
import { arkoorSendMachine } from "../../machines/arkoor-send.machine.ts";
import { step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";
import { idOf, inputOf, paidOf, payment, vtxoOf } from "./fixtures.ts";

const inputs = [inputOf(1, 600n), inputOf(2, 500n)];
const requested = { ...payment(inputs, 700n), atMs: 0 };
const change = [vtxoOf(5, { amountSats: 400n, registered: false })];
const cosigned = { type: "package.cosigned", paid: [paidOf(3, 600n), paidOf(4, 100n)], change, atMs: 0 } as const;
const refused = { type: "package.refused", code: "SERVER_REJECTED", message: "no", spent: [], unknown: [], atMs: 0 } as const;
const registered = { type: "package.registered", refusal: null, atMs: 0 } as const;
const failed = { type: "delivery.failed", code: "SERVER_FAILED", atMs: 0 } as const;
const delivered = { type: "package.delivered", atMs: 0 } as const;

const cosigning = given(arkoorSendMachine, requested);
const registering = given(arkoorSendMachine, requested, cosigned);
const delivering = given(arkoorSendMachine, requested, cosigned, registered);

testTable(
  arkoorSendMachine,
  {
    Requested: undefined,
    Cosigning: cosigning,
    Registering: registering,
    Delivering: delivering,
    "Delivering, once failed": given(arkoorSendMachine, requested, cosigned, registered, failed),
    Delivered: given(arkoorSendMachine, requested, cosigned, registered, delivered),
    Failed: given(arkoorSendMachine, requested, refused),
  },
  {
    requested,
    "requested with inputs of another payment": { ...requested, inputsAreFree: false },
    "requested with too little": { ...requested, amountSats: 1_101n },
    cosigned,
    "cosigned with too little for the recipient": {
      ...cosigned,
      paid: [paidOf(3, 600n)],
      change: [vtxoOf(5, { amountSats: 500n })],
    },
    "cosigned with too little change": { ...cosigned, change: [vtxoOf(5, { amountSats: 399n })] },
    refused,
    "refused, one input spent": { ...refused, spent: [idOf(2)] },
    "refused, all inputs spent": { ...refused, spent: [idOf(1), idOf(2)] },
    "refused, one input unknown": { ...refused, unknown: [idOf(1)] },
    "refused, one input spent and the other unknown": { ...refused, spent: [idOf(1)], unknown: [idOf(2)] },
    "deadline far away": { type: "deadline.checked", tipHeight: 4_976 },
    "deadline near the expiry of the inputs": { type: "deadline.checked", tipHeight: 4_977 },
    registered,
    "registration refused": { ...registered, refusal: "SERVER_REJECTED" },
    failed,
    "failed otherwise": { ...failed, code: "SERVER_REJECTED" },
    delivered,
    "timer.due": { type: "timer.due" },
  },
  {
    Requested: { requested: "Cosigning: lockCoins, reserveKeys, cosignPayment" },
    Cosigning: {
      cosigned: "Registering: spendCoins, createCoins, writeMovement, registerPayment, backUpIds",
      refused: "Failed: releaseCoins",
      "refused, one input spent": "Failed: releaseCoins, requireExit",
      "refused, all inputs spent": "Failed: requireExit",
      "refused, one input unknown": "Failed: releaseCoins, doubtCoins",
      "refused, one input spent and the other unknown": "Failed: doubtCoins, requireExit",
      "deadline near the expiry of the inputs": "Failed: requireExit",
    },
    Registering: {
      registered: "Delivering: offerCoins, deliverPayment",
      "registration refused": "Delivering: offerCoins, deliverPayment",
    },
    Delivering: { failed: "Delivering", "failed otherwise": "Delivering", delivered: "Delivered: writeMovement" },
    "Delivering, once failed": { "failed otherwise": "Delivering", delivered: "Delivered: writeMovement" },
  },
);

test("what is cosigned is fixed by the request: inputs in order, amount, key and pieces of the change (arkoor.md §11.3)", () => {
  const [, , cosign] = taken(step(arkoorSendMachine, undefined, requested)).effects;
  expect(cosign).toEqual({
    type: "cosignPayment",
    params: { inputs, address: "tark1", amountSats: 700n, changeKeyIndex: 9, changePieces: [400n] },
  });
});

test("change above the amount comes back in two pieces, and none where nothing is left", () => {
  const piecesOf = (amountSats: bigint) => given(arkoorSendMachine, { ...requested, amountSats })?.context.changePieces;
  expect([piecesOf(300n), piecesOf(550n), piecesOf(1_100n)]).toEqual([[400n, 400n], [550n], []]);
});

test("inputs are spent, change made and the movement written by one record, and the movement ends with the delivery", () => {
  const first = taken(step(arkoorSendMachine, cosigning, cosigned));
  const movement = {
    id: "arkoor_send.01",
    subsystem: "bark.arkoor",
    kind: "send",
    intendedSats: -700n,
    effectiveSats: -700n,
    feeSats: 0n,
    inputs: [idOf(1), idOf(2)],
    outputs: [idOf(5)],
    exited: [],
    sentTo: [{ destination: "tark1", amountSats: 700n }],
    receivedOn: [],
    metadata: {},
  };
  expect(first.effects.slice(0, 3)).toEqual([
    { type: "spendCoins", params: { ids: [idOf(1), idOf(2)] } },
    { type: "createCoins", params: { coins: change, locked: false } },
    { type: "writeMovement", params: { movement: { ...movement, status: "pending" } } },
  ]);
  const last = taken(step(arkoorSendMachine, delivering, delivered));
  expect(last.effects).toEqual([{ type: "writeMovement", params: { movement: { ...movement, status: "successful" } } }]);
  expect(last.next.context.outcome).toEqual({ status: "successful", code: null, message: null });
});

test("inputs that the server calls spent wait for an exit before the first of them expires, the others are free again", () => {
  const { effects, next } = taken(step(arkoorSendMachine, cosigning, { ...refused, spent: [idOf(2)] }));
  expect(effects).toEqual([
    { type: "releaseCoins", params: { ids: [idOf(1)] } },
    { type: "requireExit", params: { ids: [idOf(2)], byHeight: 4_988 } },
  ]);
  expect(next.context.outcome).toEqual({ status: "failed", code: "SERVER_REJECTED", message: "no" });
});

test("without an answer until the inputs are near their expiry, all of them are to be exited, and the payment says why", () => {
  const { effects, next } = taken(step(arkoorSendMachine, cosigning, { type: "deadline.checked", tipHeight: 4_977 }));
  expect(effects).toEqual([{ type: "requireExit", params: { ids: [idOf(1), idOf(2)], byHeight: 4_988 } }]);
  expect(next.context.outcome).toMatchObject({ status: "failed", code: "NEAR_EXPIRY" });
});
