import { describe } from "vitest";
import { paymentAfter, reached, testState } from "./payment.ts";

testState("Exiting", paymentAfter(...reached.Exiting), {
  revoked: "Revoked: spendCoins, createCoins, offerCoins, writeMovement",
  "preimage learned": "Settled: spendCoins, writeMovement",
  "noticed with preimage": "Settled: spendCoins, writeMovement",
});

describe("an end is an end", () => {
  testState("Settled", paymentAfter(...reached.PaymentInitiated, "preimage learned"), {});
  testState("Revoked", paymentAfter(...reached.RevocableHtlcs, "revoked"), {});
  testState("Failed", paymentAfter(...reached.Recovering, "inputs untouched"), {});
});
