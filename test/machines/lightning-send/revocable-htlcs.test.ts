import { expect, test } from "vitest";
import { change, htlcs, paymentAfter, reached, refund, stepOf, testState } from "./payment.ts";

const REVOKED = "Revoked: spendCoins, createCoins, offerCoins, writeMovement, backUpIds";
const revocable = paymentAfter(...reached.RevocableHtlcs);

testState("RevocableHtlcs", revocable, {
  revoked: REVOKED,
  "preimage learned": "Settled: spendCoins, writeMovement",
  "noticed with preimage": "Settled: spendCoins, writeMovement",
  delayed: "RevocationStuck: revokeHtlcs",
  "delayed near expiry": "RevocationStuck: revokeHtlcs",
  "delayed near the VTXOs' expiry": "RevocationStuck: revokeHtlcs",
  "deadline near the VTXOs' expiry": "Exiting: requireExit, writeMovement, revokeHtlcs",
  "exit allowed": "RevocableHtlcs",
});

test("a revocation gives amount and fee back: the movement failed, with no effect (lightning.md §8.8)", () => {
  const { effects, context } = stepOf(revocable, "revoked");
  expect(effects[0]).toEqual({ type: "spendCoins", params: { ids: htlcs.map(({ id }) => id) } });
  expect(effects[1]).toEqual({ type: "createCoins", params: { coins: refund, locked: false } });
  expect(effects.at(-2)).toMatchObject({
    params: {
      movement: {
        status: "failed",
        effectiveSats: 0n,
        feeSats: 0n,
        outputs: [...change, ...refund].map(({ id }) => id),
        metadata: { payment_preimage: null },
      },
    },
  });
  expect(context.outcome).toMatchObject({ status: "failed", code: "PAYMENT_FAILED" });
});
