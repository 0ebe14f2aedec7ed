import { expect, test } from "vitest";
import { isSendNearExpiry } from "../../../machines/lightning-send.ts";
import { NEAR_EXPIRY, NEAR_VTXO_EXPIRY, paymentAfter, reached, stepOf, testState } from "./payment.ts";

const initiated = paymentAfter(...reached.PaymentInitiated);

testState("PaymentInitiated", initiated, {
  "payment failed": "RevocableHtlcs: revokeHtlcs",
  "pending near expiry": "RevocableHtlcs: revokeHtlcs",
  "payment refused": "RevocableHtlcs: revokeHtlcs",
  "payment refused while it is open": "PaymentInitiated: watchPayment",
  "preimage learned": "Settled: spendCoins, writeMovement",
  "noticed with preimage": "Settled: spendCoins, writeMovement",
  delayed: "PaymentInitiated",
  "delayed near expiry": "RevocableHtlcs: revokeHtlcs",
  "delayed near the VTXOs' expiry": "RevocableHtlcs: revokeHtlcs",
  "deadline near expiry": "RevocableHtlcs: revokeHtlcs",
  "deadline near the VTXOs' expiry": "RevocableHtlcs: revokeHtlcs",
  "exit allowed": "PaymentInitiated",
});

test("a VTXO that expires before the HTLC ends the payment early (S10)", () => {
  const { context } = stepOf(initiated, "exit allowed");
  const lasting = { ...context, htlcExpiryHeight: 100_000 };
  expect(isSendNearExpiry(lasting, NEAR_VTXO_EXPIRY - 1)).toBe(false);
  expect(isSendNearExpiry(lasting, NEAR_VTXO_EXPIRY)).toBe(true);
  // A deep VTXO takes longer to exit than the margin.
  const deep = { ...lasting, htlcs: lasting.htlcs.map((htlc) => ({ ...htlc, exitDepth: 40 })) };
  expect(isSendNearExpiry(deep, 5_000 - 54)).toBe(false);
  expect(isSendNearExpiry(deep, 5_000 - 53)).toBe(true);
});

test("near expiry begins behind the margin, and never before block 1", () => {
  const { context } = stepOf(initiated, "exit allowed");
  expect(isSendNearExpiry(context, NEAR_EXPIRY - 1)).toBe(false);
  expect(isSendNearExpiry(context, NEAR_EXPIRY)).toBe(true);
  expect(isSendNearExpiry({ ...context, refreshBlocks: 2_000 }, 0)).toBe(false);
});

test("why a payment was given up is kept until it is revoked", () => {
  expect(stepOf(paymentAfter(...reached.RevocableHtlcs), "revoked").context.outcome).toMatchObject({ code: "PAYMENT_FAILED" });
  expect(stepOf(paymentAfter("cosigned", "initiated", "pending near expiry"), "revoked").context.outcome).toMatchObject({
    code: "NEAR_EXPIRY",
  });
});
