import { expect, test } from "vitest";
import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { events, states, testStates } from "./fixtures.ts";

testStates(
  {
    Requested: {
      requested: "Requesting: reserveKeys, requestInvoice",
      "requested for another wallet": "Requesting: reserveKeys, requestInvoice",
    },
    Requesting: { issued: "AwaitingPayment: awaitGrant", refused: "Failed" },
  },
  "Requested",
  "Requesting",
);

test("key and salt are recorded before anything is asked for, the preimage is not (R3)", () => {
  const { next, effects } = taken(step(lightningReceiveMachine, undefined, events.requested));
  expect(next.context).toMatchObject({ keyIndex: 4, salt: "cc".repeat(16), feeSats: 120n, preimage: null });
  expect(effects[0]).toEqual({ type: "reserveKeys", params: { from: 4, count: 1 } });
});

test("an invoice that was refused leaves no movement, and its reason", () => {
  const { next } = taken(step(lightningReceiveMachine, states.Requesting, events.refused));
  expect(next.context.outcome).toEqual({ status: "failed", code: "SERVER_REJECTED", message: "no" });
});
