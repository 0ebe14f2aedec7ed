import { lightningReceiveMachine } from "../../../machines/lightning-receive.machine.ts";
import type { Instance, MachineEvent } from "../../../machines/step.ts";
import { given, type Table, testTable } from "../drive.ts";
import { vtxoOf } from "../fixtures.ts";

export const PAYMENT_HASH = "aa".repeat(32);
export const PREIMAGE = "bb".repeat(32);
export const LATEST_EXIT = 1_000;
const HTLC_EXPIRY = 1_200;

export const htlc = vtxoOf(1, { amountSats: 9_880n, keyIndex: 4 });
export const claimed = vtxoOf(2, { amountSats: 9_880n, keyIndex: 4 });
const forwarded = { id: claimed.id, amountSats: claimed.amountSats, source: claimed.source };

const requested = {
  type: "invoice.requested",
  paymentHash: PAYMENT_HASH,
  salt: "cc".repeat(16),
  keyIndex: 4,
  amountSats: 10_000n,
  description: "tea",
  cltvDelta: 216,
  feeSats: 120n,
  destination: null,
  movement: `lightning_receive.${PAYMENT_HASH}`,
};
const granted = {
  type: "grant.accepted",
  isSettled: false,
  htlcs: [{ ...htlc, policyKind: "server-htlc-receive-v1" }],
  feeSats: 120n,
  htlcExpiryHeight: HTLC_EXPIRY,
  latestExitHeight: LATEST_EXIT,
};
const vetted = { type: "reveal.vetted", tipHeight: LATEST_EXIT, status: "open" };

/** One event for each thing that can happen to a receive, by what it is. */
export const events = {
  requested,
  "requested for another wallet": { ...requested, destination: { address: "tark1other", keyIndex: null } },
  issued: { type: "invoice.issued", bolt11: "lnbcrt100u1", expiresAtMs: 5_000 },
  refused: { type: "invoice.refused", code: "SERVER_REJECTED", message: "no" },
  expired: { type: "invoice.expired" },
  granted,
  "granted, and settled at the server": { ...granted, isSettled: true },
  "grant failed": { type: "grant.failed", code: "GRANT_WINDOW_TOO_SMALL", message: "too late" },
  "vetted in time": vetted,
  "vetted too late": { ...vetted, tipHeight: LATEST_EXIT + 1 },
  "vetted, and canceled": { ...vetted, status: "canceled" },
  "vetted too late, but settled": { ...vetted, tipHeight: LATEST_EXIT + 1, status: "settled" },
  claimed: { type: "claim.succeeded", coins: [claimed], forwarded: [], preimage: PREIMAGE },
  "claimed in part": { type: "claim.succeeded", coins: [{ ...claimed, amountSats: 9_879n }], forwarded: [], preimage: PREIMAGE },
  "claimed for another wallet": { type: "claim.succeeded", coins: [], forwarded: [forwarded], preimage: PREIMAGE },
  "backed up": { type: "recoveryIds.posted" },
  "backed up in part": { type: "recoveryIds.posted", left: [claimed.id] },
  delivered: { type: "package.delivered" },
  "not delivered": { type: "delivery.failed", code: "SERVER_REJECTED" },
  delayed: { type: "step.delayed", code: "SERVER_INTERNAL" },
  "cancel asked for": { type: "cancel.requested" },
  cancelled: { type: "receive.cancelled" },
  "tip far from the deadline": { type: "deadline.checked", tipHeight: LATEST_EXIT - 19 },
  "tip near the deadline": { type: "deadline.checked", tipHeight: LATEST_EXIT - 18 },
  "tip at the deadline": { type: "deadline.checked", tipHeight: LATEST_EXIT },
  "giving up before the expiry": { type: "giveUp.requested", tipHeight: HTLC_EXPIRY },
  "giving up after the expiry": { type: "giveUp.requested", tipHeight: HTLC_EXPIRY + 1 },
} as const satisfies { readonly [name: string]: MachineEvent };

type EventName = keyof typeof events;

/** A receive after these things, from its beginning. */
function after(...names: readonly EventName[]): Instance | undefined {
  return given(lightningReceiveMachine, ...names.map((name) => events[name]));
}

/** A receive in each of its states. */
export const states = {
  Requested: after(),
  Requesting: after("requested"),
  AwaitingPayment: after("requested", "issued"),
  "AwaitingPayment, delayed": after("requested", "issued", "delayed"),
  Cancelling: after("requested", "issued", "cancel asked for"),
  HtlcsReady: after("requested", "issued", "granted"),
  PreimageRevealed: after("requested", "issued", "granted", "vetted in time"),
  "PreimageRevealed, near the deadline": after("requested", "issued", "granted", "vetted in time", "tip near the deadline"),
  "PreimageRevealed, past the deadline": after("requested", "issued", "granted", "vetted in time", "tip at the deadline"),
  "PreimageRevealed for another wallet": after("requested for another wallet", "issued", "granted", "vetted in time"),
  Claimed: after("requested", "issued", "granted", "vetted in time", "claimed"),
  Delivering: after("requested for another wallet", "issued", "granted", "vetted in time", "claimed for another wallet"),
  Completed: after("requested", "issued", "granted", "vetted in time", "claimed", "backed up"),
  Delivered: after(
    "requested for another wallet",
    "issued",
    "granted",
    "vetted in time",
    "claimed for another wallet",
    "delivered",
  ),
  Expired: after("requested", "issued", "expired"),
  Cancelled: after("requested", "issued", "cancel asked for", "cancelled"),
  Abandoned: after("requested", "issued", "granted", "vetted too late"),
  Failed: after("requested", "refused"),
  GivenUp: after("requested", "issued", "granted", "vetted in time", "giving up after the expiry"),
} as const;

/** Tests some of the states with every event: what the rows do not name changes nothing. */
export function testStates(table: Table, ...names: readonly (keyof typeof states)[]): void {
  testTable(lightningReceiveMachine, Object.fromEntries(names.map((name) => [name, states[name]])), events, table);
}
