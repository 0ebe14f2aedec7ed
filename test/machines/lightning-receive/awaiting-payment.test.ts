import { expect, test } from "vitest";
import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import { step } from "../../../machines/step.ts";
import { taken } from "../drive.ts";
import { events, htlc, PAYMENT_HASH, states, testStates } from "./fixtures.ts";

const row = {
  granted: "HtlcsReady: createCoins, writeMovement, backUpIds, vetReveal",
  "granted, and settled at the server": "PreimageRevealed: createCoins, writeMovement, backUpIds, claimReceive",
  "grant failed": "Failed",
  expired: "Expired",
  "cancel asked for": "Cancelling: cancelReceive",
};

testStates(
  { AwaitingPayment: { ...row, delayed: "AwaitingPayment" }, "AwaitingPayment, delayed": row },
  "AwaitingPayment",
  "AwaitingPayment, delayed",
);

test("a grant is locked, and its movement is pending with the HTLCs as its effect and without a preimage (§11, R9)", () => {
  const { effects } = taken(step(lightningReceiveMachine, states.AwaitingPayment, events.granted));
  expect(effects.slice(0, 2)).toEqual([
    { type: "createCoins", params: { coins: [{ ...htlc, policyKind: "server-htlc-receive-v1" }], locked: true } },
    {
      type: "writeMovement",
      params: {
        movement: {
          id: `lightning_receive.${PAYMENT_HASH}`,
          subsystem: "bark.lightning_receive",
          kind: "receive",
          status: "pending",
          intendedSats: 10_000n,
          effectiveSats: 9_880n,
          feeSats: 120n,
          inputs: [],
          outputs: [],
          exited: [],
          sentTo: [],
          receivedOn: [{ destination: "lnbcrt100u1", amountSats: 10_000n }],
          metadata: { payment_hash: PAYMENT_HASH, htlc_vtxos: [htlc.id], payment_preimage: null },
        },
      },
    },
  ]);
});

test("every VTXO of a grant is backed up, whether it is to be vetted or claimed at once (§4.5)", () => {
  const backup = { type: "backUpIds", params: { ids: [htlc.id] } };
  for (const event of [events.granted, events["granted, and settled at the server"]]) {
    expect(taken(step(lightningReceiveMachine, states.AwaitingPayment, event)).effects).toContainEqual(backup);
  }
});

test("the fee of a grant may be lower than promised, and is then the one that counts", () => {
  const { next } = taken(step(lightningReceiveMachine, states.AwaitingPayment, { ...events.granted, feeSats: 100n }));
  expect(next.context.feeSats).toBe(100n);
});

test("an unpaid invoice ends without a movement", () => {
  const { next, effects } = taken(step(lightningReceiveMachine, states.AwaitingPayment, events.expired));
  expect([next.context.outcome, effects]).toEqual([
    { status: "canceled", code: "INVOICE_EXPIRED", message: expect.any(String) },
    [],
  ]);
});

test("a delay for the same reason is no news, one for another reason is", () => {
  const delayed = states["AwaitingPayment, delayed"];
  expect(step(lightningReceiveMachine, delayed, events.delayed).kind).toBe("unexpected");
  const other = taken(step(lightningReceiveMachine, delayed, { ...events.delayed, code: "GRANT_TOO_LITTLE" }));
  expect(other.change).toEqual({ delay: "GRANT_TOO_LITTLE" });
});
