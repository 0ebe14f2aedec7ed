import { describe, expect, test } from "vitest";
import { lightningSendMachine } from "../../../machines/lightning-send.machine.ts";
import { type LightningSendContext, sendMovementOf } from "../../../machines/lightning-send.ts";
import { given } from "../drive.ts";
import { type Happening, happenings, htlcs, inputs, paymentAfter, requested, restored, stepOf, testState } from "./payment.ts";

const BOOKED = "spendCoins, createCoins, createCoins, offerCoins, writeMovement, backUpIds";

describe("before the payment", () => {
  testState("Requested", undefined, {
    requested: "Start: lockCoins, reserveKeys, writeMovement, cosignHtlcs",
    restored: "RevocableHtlcs: createCoins, reserveKeys, writeMovement, revokeHtlcs",
  });
});

test("a restored payment moves only what comes back: nothing when it was paid, all of it when it was not (mailbox.md W-48)", () => {
  const after = (...names: readonly Happening[]) =>
    given(lightningSendMachine, restored, ...names.map((name) => happenings[name]))?.context as unknown as LightningSendContext;
  const moved = (context: LightningSendContext, status: "pending" | "successful" | "failed", exit?: "due" | "over") => {
    const { effectiveSats, intendedSats, feeSats, inputs, sentTo } = sendMovementOf(context, status, exit);
    expect({ intendedSats, feeSats, inputs, sentTo }).toEqual({ intendedSats: 0n, feeSats: 0n, inputs: [], sentTo: [] });
    return effectiveSats;
  };
  expect(after()).toMatchObject({ htlcs, amountSats: 5_100n, refusal: { code: "RESTORED" } });
  expect(moved(after(), "pending")).toBe(0n);
  expect(moved(after("preimage learned"), "successful")).toBe(0n);
  expect(moved(after("revoked"), "failed")).toBe(5_100n);
  expect(moved(after("deadline near the VTXOs' expiry"), "pending", "due")).toBe(5_100n);
  expect(moved(after("deadline near the VTXOs' expiry", "given up"), "failed", "over")).toBe(0n);
});

testState("Start", paymentAfter(), {
  cosigned: `HtlcReceived: ${BOOKED}, initiatePayment`,
  "package refused": "Recovering: recoverHtlcs",
  "noticed with preimage": "Start",
  delayed: "Start",
  "delayed near expiry": "Recovering: recoverHtlcs",
  "delayed near the VTXOs' expiry": "Recovering: recoverHtlcs",
  "deadline near expiry": "Recovering: recoverHtlcs",
  "deadline near the VTXOs' expiry": "Recovering: recoverHtlcs",
  "exit allowed": "Start",
});

describe("once somebody else is known to have paid", () => {
  testState("Start", paymentAfter("noticed with preimage"), {
    cosigned: "Recovering: recoverHtlcs",
    "cosigned short": "Recovering: recoverHtlcs",
    "package refused": "Recovering: recoverHtlcs",
    delayed: "Start",
    "delayed near expiry": "Recovering: recoverHtlcs",
    "delayed near the VTXOs' expiry": "Recovering: recoverHtlcs",
    "deadline near expiry": "Recovering: recoverHtlcs",
    "deadline near the VTXOs' expiry": "Recovering: recoverHtlcs",
    "exit allowed": "Start",
  });
});

test("a package that is signed when its preimage is out makes no HTLCs; the evidence stays with the failed payment", () => {
  const late = paymentAfter("noticed with preimage", "cosigned");
  expect(late.context).toMatchObject({ htlcs: [], refusal: { code: "INVOICE_PAID" } });
  const { effects, context } = stepOf(late, "inputs spent");
  expect(context.outcome).toMatchObject({ status: "failed", code: "INVOICE_PAID" });
  expect(effects.at(-1)).toMatchObject({
    params: { movement: { status: "failed", effectiveSats: 0n, metadata: { payment_preimage: context.preimage } } },
  });
});

test("a payment begins with its inputs locked, two keys of its own and a pending movement that moves nothing yet", () => {
  const { next } = { next: paymentAfter() };
  expect(next.context).toMatchObject({ amountSats: 5_000n, feeSats: 100n, htlcs: [], preimage: null, outcome: null });
  const { effects } = stepOf(paymentAfter(), "cosigned");
  expect(effects.map(({ type }) => type)).not.toContain("releaseCoins");
});

test("once signed, the movement costs amount and fee, and brings the change (lightning.md §11)", () => {
  const { effects } = stepOf(paymentAfter(), "cosigned");
  const movement = effects.flatMap((effect) => (effect.type === "writeMovement" ? [effect.params.movement] : []))[0];
  expect(movement).toMatchObject({
    status: "pending",
    subsystem: "bark.lightning_send",
    intendedSats: -5_000n,
    effectiveSats: -5_100n,
    feeSats: 100n,
    inputs: inputs.map(({ id }) => id),
    outputs: happenings.cosigned.change.map(({ id }) => id),
    sentTo: [{ destination: requested.invoice, amountSats: 5_000n }],
    metadata: { htlc_vtxos: htlcs.map(({ id }) => id), payment_preimage: null },
  });
});

test("the HTLCs go to the server in package order (S11), locked; the change is free", () => {
  const { effects } = stepOf(paymentAfter(), "cosigned");
  const created = effects.flatMap((effect) => (effect.type === "createCoins" ? [effect.params] : []));
  expect(created.map(({ locked, coins }) => [locked, coins.length])).toEqual([
    [true, 2],
    [false, 1],
  ]);
  const command = effects.at(-1);
  expect(command?.type === "initiatePayment" && command.params.htlcs).toEqual(htlcs);
});

test("every VTXO of the package is backed up, HTLCs too (lightning.md §4.5)", () => {
  const { effects } = stepOf(paymentAfter(), "cosigned");
  const ids = [...htlcs, ...happenings.cosigned.change].map(({ id }) => id);
  expect(effects).toContainEqual({ type: "backUpIds", params: { ids } });
});

test("a preimage that arrives early is kept as evidence, and proves nothing yet", () => {
  const { context, state } = stepOf(paymentAfter(), "noticed with preimage");
  expect([state, context.preimage, context.outcome]).toEqual(["Start", happenings["noticed with preimage"].preimage, null]);
});

test("the same delay is no news", () => {
  expect(() => stepOf(paymentAfter("delayed"), "delayed")).toThrow("unexpected");
});
