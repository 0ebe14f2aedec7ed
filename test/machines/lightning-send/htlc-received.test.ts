import { expect, test } from "vitest";
import { paymentAfter, preimage, reached, stepOf, testState } from "./payment.ts";

const received = paymentAfter(...reached.HtlcReceived);

testState("HtlcReceived", received, {
  initiated: "PaymentInitiated: watchPayment",
  "payment refused": "RevocableHtlcs: revokeHtlcs",
  "payment refused while it is open": "PaymentInitiated: watchPayment",
  "preimage learned": "Settled: spendCoins, writeMovement",
  "noticed with preimage": "Settled: spendCoins, writeMovement",
  delayed: "HtlcReceived",
  "delayed near expiry": "RevocableHtlcs: revokeHtlcs",
  "delayed near the VTXOs' expiry": "RevocableHtlcs: revokeHtlcs",
  "deadline near expiry": "RevocableHtlcs: revokeHtlcs",
  "deadline near the VTXOs' expiry": "RevocableHtlcs: revokeHtlcs",
  "exit allowed": "HtlcReceived",
});

test("initiate refused after the payment succeeded settles, with the preimage as proof (S8)", () => {
  const { context, effects } = stepOf(received, "preimage learned");
  expect(context).toMatchObject({ preimage, outcome: { status: "successful" } });
  expect(effects[1]).toMatchObject({
    params: { movement: { status: "successful", effectiveSats: -5_100n, metadata: { payment_preimage: preimage } } },
  });
});

test("initiate refused without an attempt at the server gives the HTLCs back at once (S8)", () => {
  expect(stepOf(received, "payment refused").context.refusal).toEqual({ code: "GRPC_3", message: "no" });
});
