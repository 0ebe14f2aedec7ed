import { expect, test } from "vitest";
import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { events, states, testStates } from "./fixtures.ts";

testStates({ Cancelling: { cancelled: "Cancelled" } }, "Cancelling");

test("a cancelled invoice says who ended it", () => {
  const { next } = taken(step(lightningReceiveMachine, states.Cancelling, events.cancelled));
  expect(next.context.outcome).toMatchObject({ status: "canceled", code: "CANCELLED" });
});

test("a grant that arrives after the cancellation is not taken: the preimage never leaves", () => {
  expect(step(lightningReceiveMachine, states.Cancelling, events.granted).kind).toBe("unexpected");
});
