import { describe, expect, test } from "vitest";
import { change, htlcs, paymentAfter, reached, stepOf, testState } from "./payment.ts";

testState("Exiting", paymentAfter(...reached.Exiting), {
  revoked: "Revoked: spendCoins, createCoins, offerCoins, writeMovement, backUpIds",
  "preimage learned": "Settled: spendCoins, writeMovement",
  "noticed with preimage": "Settled: spendCoins, writeMovement",
  "given up": "GivenUp: spendCoins, writeMovement",
});

test("given up, the HTLCs are no money of the wallet any more, and the movement names them as exited (lightning.md §8.9)", () => {
  const { effects, context } = stepOf(paymentAfter(...reached.Exiting), "given up");
  expect(effects[1]).toMatchObject({
    params: {
      movement: {
        status: "failed",
        effectiveSats: -5_100n,
        feeSats: 5_100n,
        exited: htlcs.map(({ id }) => id),
        outputs: change.map(({ id }) => id),
        metadata: { payment_preimage: null },
      },
    },
  });
  expect(context.outcome).toMatchObject({ status: "failed", code: "GIVEN_UP" });
});

describe("an end is an end", () => {
  testState("Settled", paymentAfter(...reached.PaymentInitiated, "preimage learned"), {});
  testState("Revoked", paymentAfter(...reached.RevocableHtlcs, "revoked"), {});
  testState("Failed", paymentAfter(...reached.Recovering, "inputs untouched"), {});
  testState("GivenUp", paymentAfter(...reached.Exiting, "given up"), {});
});
