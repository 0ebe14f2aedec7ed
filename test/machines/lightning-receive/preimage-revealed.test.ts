import { expect, test } from "vitest";
import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { claimed, events, htlc, LATEST_EXIT, PREIMAGE, states, testStates } from "./fixtures.ts";

const row = {
  delayed: "PreimageRevealed",
  "giving up after the expiry": "GivenUp: spendCoins, writeMovement",
};
const past = { "tip at the deadline": "PreimageRevealed: requireExit" };

const own = { ...row, claimed: "Claimed: spendCoins, createCoins, writeMovement, postRecoveryIds" };

testStates(
  {
    PreimageRevealed: { ...own, ...past, "tip near the deadline": "PreimageRevealed" },
    "PreimageRevealed, near the deadline": { ...own, ...past },
    "PreimageRevealed, past the deadline": own,
    "PreimageRevealed for another wallet": {
      ...row,
      ...past,
      "tip near the deadline": "PreimageRevealed",
      "claimed for another wallet": "Delivering: spendCoins, writeMovement, deliverPayment",
    },
  },
  "PreimageRevealed",
  "PreimageRevealed, near the deadline",
  "PreimageRevealed, past the deadline",
  "PreimageRevealed for another wallet",
);

test("a claim turns the HTLCs into money, and only now the movement shows the preimage (§11, R9)", () => {
  const { next, effects } = taken(step(lightningReceiveMachine, states.PreimageRevealed, events.claimed));
  expect(next.context.outcome).toEqual({ status: "successful", code: null, message: null });
  expect(effects).toMatchObject([
    { type: "spendCoins", params: { ids: [htlc.id] } },
    { type: "createCoins", params: { coins: [claimed], locked: false } },
    {
      type: "writeMovement",
      params: {
        movement: {
          status: "successful",
          effectiveSats: 9_880n,
          outputs: [claimed.id],
          metadata: { payment_preimage: PREIMAGE },
        },
      },
    },
    { type: "postRecoveryIds", params: { ids: [claimed.id] } },
  ]);
});

test("at the latest height for a safe exit the HTLCs are handed out, stay locked, and are claimed on (R7)", () => {
  const { next, effects } = taken(step(lightningReceiveMachine, states.PreimageRevealed, events["tip at the deadline"]));
  expect(effects).toEqual([{ type: "requireExit", params: { ids: [htlc.id], byHeight: LATEST_EXIT } }]);
  expect(taken(step(lightningReceiveMachine, next, events.claimed)).next.state).toBe("Claimed");
});

test("a receive that is given up comes to nothing, though the preimage may have left", () => {
  const { effects } = taken(step(lightningReceiveMachine, states.PreimageRevealed, events["giving up after the expiry"]));
  expect(effects).toMatchObject([
    { type: "spendCoins", params: { ids: [htlc.id] } },
    { type: "writeMovement", params: { movement: { status: "failed", effectiveSats: 0n } } },
  ]);
});
