import { describe, expect, test } from "vitest";
import { lightningSendMachine } from "../../../machines/lightning-send.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { happenings, inputs, paymentAfter, preimage, reached, stepOf, testState } from "./payment.ts";

const recovering = paymentAfter(...reached.Recovering);

testState("Recovering", recovering, {
  cosigned: "RevocableHtlcs: spendCoins, createCoins, createCoins, offerCoins, writeMovement, backUpIds, revokeHtlcs",
  "inputs untouched": "Failed: releaseCoins, writeMovement",
  "inputs spent": "Failed: releaseCoins, requireExit, writeMovement",
  "input unknown": "Failed: releaseCoins, doubtCoins, writeMovement",
  "preimage learned": "Recovering",
  "noticed with preimage": "Recovering",
  delayed: "Recovering",
  "delayed near expiry": "Recovering",
  "delayed near the VTXOs' expiry": "Recovering",
  "deadline near the VTXOs' expiry": "Failed: requireExit, writeMovement",
  "exit allowed": "Recovering",
});

describe("once somebody else is known to have paid, nothing is completed", () => {
  testState("Recovering", paymentAfter("package refused", "noticed with preimage"), {
    cosigned: "Recovering: recoverHtlcs",
    "cosigned short": "Recovering: recoverHtlcs",
    "inputs untouched": "Failed: releaseCoins, writeMovement",
    "inputs spent": "Failed: releaseCoins, requireExit, writeMovement",
    "input unknown": "Failed: releaseCoins, doubtCoins, writeMovement",
    delayed: "Recovering",
    "delayed near expiry": "Recovering",
    "delayed near the VTXOs' expiry": "Recovering",
    "deadline near the VTXOs' expiry": "Failed: requireExit, writeMovement",
    "exit allowed": "Recovering",
  });
});

test("the recovery repeats the package of the payment, part for part (S7)", () => {
  const first = stepOf(paymentAfter(), "package refused").effects;
  const [command] = first;
  expect(command?.type === "recoverHtlcs" && command.params).toMatchObject({ inputs, changePieces: [3_900n], keyIndex: 7 });
});

test("inputs that are not spent are free again, and the movement fails with no effect (S7)", () => {
  const { effects, context } = stepOf(recovering, "inputs untouched");
  expect(effects[0]).toEqual({ type: "releaseCoins", params: { ids: inputs.map(({ id }) => id) } });
  expect(effects[1]).toMatchObject({ params: { movement: { status: "failed", effectiveSats: 0n, feeSats: 0n } } });
  expect(context.outcome).toEqual({ status: "failed", code: "GRPC_3", message: "no" });
});

test("spent inputs stay out of every payment; only an exit brings them back (S7)", () => {
  const { effects } = stepOf(recovering, "inputs spent");
  expect(effects[0]).toEqual({ type: "releaseCoins", params: { ids: [inputs[0]?.id] } });
  expect(effects[1]).toEqual({ type: "requireExit", params: { ids: [inputs[1]?.id], byHeight: 4_988 } });
});

describe("once the owner allows an exit, the HTLCs' expiry is reason enough", () => {
  testState("Recovering", paymentAfter("package refused", "exit allowed"), {
    cosigned: "RevocableHtlcs: spendCoins, createCoins, createCoins, offerCoins, writeMovement, backUpIds, revokeHtlcs",
    "inputs untouched": "Failed: releaseCoins, writeMovement",
    "inputs spent": "Failed: releaseCoins, requireExit, writeMovement",
    "input unknown": "Failed: releaseCoins, doubtCoins, writeMovement",
    "preimage learned": "Recovering",
    "noticed with preimage": "Recovering",
    delayed: "Recovering",
    "delayed near expiry": "Recovering",
    "delayed near the VTXOs' expiry": "Recovering",
    "deadline near expiry": "Failed: requireExit, writeMovement",
    "deadline near the VTXOs' expiry": "Failed: requireExit, writeMovement",
  });
});

test("without an answer until the inputs are near their expiry, all of them are to be exited, and the payment fails (S10)", () => {
  const { effects, context } = stepOf(recovering, "deadline near the VTXOs' expiry");
  expect(effects[0]).toEqual({ type: "requireExit", params: { ids: inputs.map(({ id }) => id), byHeight: 4_988 } });
  expect(effects[1]).toMatchObject({ params: { movement: { status: "failed", effectiveSats: 0n, inputs: [] } } });
  expect(context.outcome).toMatchObject({ status: "failed", code: "GRPC_3" });
});

test("an attempt that ran out of time says so", () => {
  const late = paymentAfter("delayed near expiry");
  expect(stepOf(late, "inputs untouched").context.outcome).toMatchObject({ code: "NEAR_EXPIRY" });
});

test("a preimage that the server shows is evidence: it stays with the failed payment, and is no success", () => {
  const { context, effects } = stepOf(paymentAfter("package refused", "preimage learned"), "inputs untouched");
  expect(context.outcome).toMatchObject({ status: "failed" });
  expect(effects[1]).toMatchObject({ params: { movement: { status: "failed", metadata: { payment_preimage: preimage } } } });
});

test("a package that was completed before is booked though the preimage is out, and the payment settles with it", () => {
  const noticed = paymentAfter("package refused", "noticed with preimage");
  const { next } = taken(step(lightningSendMachine, noticed, { ...happenings.cosigned, wasCompleted: true }));
  expect(next.state).toBe("RevocableHtlcs");
  const { state, context, effects } = stepOf(next, "preimage learned");
  expect([state, context.outcome?.status]).toEqual(["Settled", "successful"]);
  expect(effects[1]).toMatchObject({ params: { movement: { status: "successful", effectiveSats: -5_100n } } });
});
