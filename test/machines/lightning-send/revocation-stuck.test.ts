import { expect, test } from "vitest";
import { htlcs, paymentAfter, reached, stepOf, testState } from "./payment.ts";

const REVOKED = "Revoked: spendCoins, createCoins, offerCoins, writeMovement, backUpIds";
const stuck = paymentAfter(...reached.RevocationStuck);

testState("RevocationStuck", stuck, {
  revoked: REVOKED,
  "preimage learned": "Settled: spendCoins, writeMovement",
  "noticed with preimage": "Settled: spendCoins, writeMovement",
  "delayed near the VTXOs' expiry": "Exiting: requireExit, writeMovement, revokeHtlcs",
  "deadline near the VTXOs' expiry": "Exiting: requireExit, writeMovement, revokeHtlcs",
  "exit allowed": "RevocationStuck",
});

test("a new reason is noted; an old one is no news", () => {
  const other = { ...stuck, context: { ...stuck.context, delay: "GRPC_13" } };
  expect(stepOf(other, "delayed near expiry").state).toBe("RevocationStuck");
  expect(() => stepOf(stuck, "delayed near expiry")).toThrow("unexpected");
});

test("an exit that the owner allowed is required once the HTLCs' expiry is near, not before", () => {
  const allowed = stepOf(stuck, "exit allowed").next;
  expect(() => stepOf(allowed, "delayed")).toThrow("unexpected");
  expect(stepOf(allowed, "delayed near expiry").state).toBe("Exiting");
});

test("the exit has to begin so early that it ends before the VTXOs expire", () => {
  const { effects } = stepOf(stuck, "delayed near the VTXOs' expiry");
  expect(effects[0]).toEqual({ type: "requireExit", params: { ids: htlcs.map(({ id }) => id), byHeight: 4_988 } });
  expect(effects[1]).toMatchObject({
    params: { movement: { status: "pending", effectiveSats: 0n, feeSats: 0n, exited: htlcs.map(({ id }) => id) } },
  });
});

test("a payment that the server accepted, then denied, settles with a late preimage", () => {
  expect(stepOf(stuck, "noticed with preimage").context.outcome).toMatchObject({ status: "successful" });
});
