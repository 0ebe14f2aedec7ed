import { expect, test } from "vitest";
import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { claimed, events, states, testStates } from "./fixtures.ts";

testStates(
  {
    Delivering: { delivered: "Delivered: writeMovement", "not delivered": "Delivering" },
    Claimed: { "backed up": "Completed", "backed up in part": "Claimed: postRecoveryIds" },
  },
  "Delivering",
  "Claimed",
);

test("what another wallet gets is never this wallet's money, before and after its delivery (§11)", () => {
  const revealed = states["PreimageRevealed for another wallet"];
  const { next, effects } = taken(step(lightningReceiveMachine, revealed, events["claimed for another wallet"]));
  expect(effects.map(({ type }) => type)).not.toContain("createCoins");
  const sentTo = [{ destination: "tark1other", amountSats: 9_880n }];
  const pending = { status: "pending", effectiveSats: 0n, outputs: [], sentTo };
  expect(effects[1]).toMatchObject({ type: "writeMovement", params: { movement: pending } });
  expect(effects[2]).toEqual({
    type: "deliverPayment",
    params: { address: "tark1other", sources: [claimed.source] },
  });
  const done = taken(step(lightningReceiveMachine, next, events.delivered));
  const successful = { ...pending, status: "successful" };
  expect(done.effects).toMatchObject([{ type: "writeMovement", params: { movement: successful } }]);
});
