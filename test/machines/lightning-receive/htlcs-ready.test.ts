import { expect, test } from "vitest";
import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { events, htlc, PAYMENT_HASH, states, testStates } from "./fixtures.ts";

testStates(
  {
    HtlcsReady: {
      "vetted in time": "PreimageRevealed: claimReceive",
      "vetted too late": "Abandoned: spendCoins, writeMovement",
      "vetted, and canceled": "Abandoned: spendCoins, writeMovement",
      "vetted too late, but settled": "PreimageRevealed: claimReceive",
      delayed: "HtlcsReady",
    },
  },
  "HtlcsReady",
);

test("the claim is asked for by the very record that says that the preimage is revealed (R6)", () => {
  const { next, effects } = taken(step(lightningReceiveMachine, states.HtlcsReady, events["vetted in time"]));
  expect(next.state).toBe("PreimageRevealed");
  expect(effects).toEqual([
    {
      type: "claimReceive",
      params: {
        paymentHash: PAYMENT_HASH,
        salt: "cc".repeat(16),
        keyIndex: 4,
        destination: null,
        amountSats: 9_880n,
        sources: [htlc.source],
      },
    },
  ]);
});

test("an abandoned receive gives its HTLCs up and comes to nothing (§9.7)", () => {
  const { next, effects } = taken(step(lightningReceiveMachine, states.HtlcsReady, events["vetted too late"]));
  expect(next.context.outcome).toMatchObject({ status: "canceled", code: "ABANDONED" });
  expect(effects).toMatchObject([
    { type: "spendCoins", params: { ids: [htlc.id] } },
    { type: "writeMovement", params: { movement: { status: "canceled", effectiveSats: 0n } } },
  ]);
});
