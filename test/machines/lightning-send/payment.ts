/** A made-up Lightning payment of 5,000 sat for 100, out of inputs of 6,000 and 3,000. */
import { sha256 } from "../../../ark/crypto.ts";
import { encodeHex } from "../../../ark/hex.ts";
import type { OwnVtxo } from "../../../machines/books.ts";
import { lightningSendMachine } from "../../../machines/lightning-send.machine.ts";
import type { LightningSendContext } from "../../../machines/lightning-send.ts";
import { type Instance, type MachineEvent, step } from "../../../machines/step.ts";
import { given, type Table, taken, testTable } from "../drive.ts";
import { inputOf, vtxoOf } from "../fixtures.ts";

export const preimage = "42".repeat(32);
const paymentHash = encodeHex(sha256(new Uint8Array(32).fill(0x42)));
/** The HTLCs expire at 1,000; the payment ends near 988. The VTXOs expire at 5,000: too near for a send from 4,977 on. */
const HTLC_EXPIRY = 1_000;
export const NEAR_EXPIRY = 989;
export const NEAR_VTXO_EXPIRY = 4_977;

function htlcOf(n: number, amountSats: bigint): OwnVtxo {
  return vtxoOf(n, {
    amountSats,
    keyIndex: 7,
    registered: false,
    exitDepth: 5,
    policyKind: "server-htlc-send-v1",
  } as Partial<OwnVtxo>);
}

const returned = (n: number, amountSats: bigint, keyIndex: number) => vtxoOf(n, { amountSats, keyIndex, registered: false });

export const inputs = [inputOf(1, 6_000n), inputOf(2, 3_000n)];
export const htlcs = [htlcOf(3, 5_000n), htlcOf(4, 100n)];
export const change = [returned(5, 3_900n, 7)];
export const refund = [returned(6, 5_100n, 8)];

export const requested = {
  type: "payment.requested",
  invoice: "lntb50u1…",
  paymentHash,
  amountSats: 5_000n,
  feeSats: 100n,
  inputs,
  keyIndex: 7,
  changePieces: [3_900n],
  htlcExpiryHeight: HTLC_EXPIRY,
  refreshBlocks: 12,
  inputsAreFree: true,
  isNextAttempt: true,
  movement: `lightning_send.${paymentHash}.0`,
} as const;

/** HTLCs of a payment that a restore found. */
export const restored = {
  type: "payment.restored",
  paymentHash,
  htlcs,
  keyIndex: 7,
  htlcExpiryHeight: HTLC_EXPIRY,
  refreshBlocks: 12,
  areNew: true,
  movement: `lightning_send.${paymentHash}.0`,
} as const;

/** Everything that may happen, by name. */
export const happenings = {
  requested,
  "requested with a coin that is taken": { ...requested, inputsAreFree: false },
  "requested again": { ...requested, isNextAttempt: false },
  "requested out of balance": { ...requested, changePieces: [3_901n] },
  "requested for nothing": { ...requested, amountSats: 0n, feeSats: 5_100n },
  restored,
  "restored twice": { ...restored, areNew: false },
  cosigned: { type: "package.cosigned", htlcs, change },
  "cosigned short": { type: "package.cosigned", htlcs: htlcs.slice(1), change },
  "package refused": { type: "package.refused", code: "GRPC_3", message: "no" },
  "inputs untouched": { type: "inputs.checked", spent: [], unknown: [] },
  "inputs spent": { type: "inputs.checked", spent: [inputs[1]?.id ?? ""], unknown: [] },
  "input unknown": { type: "inputs.checked", spent: [], unknown: [inputs[0]?.id ?? ""] },
  initiated: { type: "payment.initiated" },
  "payment refused": { type: "payment.refused", code: "GRPC_3", message: "no", isOpen: false },
  "payment refused while it is open": { type: "payment.refused", code: "GRPC_3", message: "no", isOpen: true },
  "payment failed": { type: "payment.failed" },
  pending: { type: "payment.pending", tipHeight: NEAR_EXPIRY - 1 },
  "pending near expiry": { type: "payment.pending", tipHeight: NEAR_EXPIRY },
  "preimage learned": { type: "preimage.learned", preimage },
  "wrong preimage learned": { type: "preimage.learned", preimage: "43".repeat(32) },
  "noticed with preimage": { type: "payment.noticed", preimage },
  "noticed with a wrong preimage": { type: "payment.noticed", preimage: "43".repeat(32) },
  "noticed with a preimage that is none": { type: "payment.noticed", preimage: "42" },
  "noticed without preimage": { type: "payment.noticed", preimage: null },
  revoked: { type: "htlcs.revoked", vtxos: refund },
  "revoked in part": { type: "htlcs.revoked", vtxos: [returned(6, 5_099n, 8)] },
  delayed: { type: "step.delayed", code: "GRPC_14", tipHeight: NEAR_EXPIRY - 1 },
  "delayed near expiry": { type: "step.delayed", code: "GRPC_14", tipHeight: NEAR_EXPIRY },
  "delayed near the VTXOs' expiry": { type: "step.delayed", code: "GRPC_14", tipHeight: NEAR_VTXO_EXPIRY },
  "deadline near expiry": { type: "deadline.checked", tipHeight: NEAR_EXPIRY },
  "deadline near the VTXOs' expiry": { type: "deadline.checked", tipHeight: NEAR_VTXO_EXPIRY },
  "exit allowed": { type: "exit.allowed" },
  "given up early": { type: "giveUp.requested", tipHeight: HTLC_EXPIRY },
  "given up": { type: "giveUp.requested", tipHeight: HTLC_EXPIRY + 1 },
} as const satisfies { readonly [name: string]: MachineEvent };

export type Happening = keyof typeof happenings;

/** The payment after what happened, from its request on. */
export function paymentAfter(...names: readonly Happening[]): Instance {
  const instance = given(lightningSendMachine, requested, ...names.map((name) => happenings[name]));
  if (instance === undefined) throw new Error("expected a payment, got none");
  return instance;
}

/** What one more happening does. */
export function stepOf(instance: Instance, name: Happening) {
  const { next, effects } = taken(step(lightningSendMachine, instance, happenings[name]));
  return { state: next.state, context: next.context as unknown as LightningSendContext, effects, next };
}

/** Every happening in one state, as `testTable`. */
export function testState(state: string, instance: Instance | undefined, row: { readonly [Name in Happening]?: string }): void {
  testTable(lightningSendMachine, { [state]: instance }, happenings, { [state]: row } as Table);
}

/** What each state is reached by. */
export const reached = {
  Start: [],
  Recovering: ["package refused"],
  HtlcReceived: ["cosigned"],
  PaymentInitiated: ["cosigned", "initiated"],
  RevocableHtlcs: ["cosigned", "initiated", "payment failed"],
  RevocationStuck: ["cosigned", "initiated", "payment failed", "delayed"],
  Exiting: ["cosigned", "initiated", "payment failed", "delayed", "delayed near the VTXOs' expiry"],
} as const satisfies { readonly [state: string]: readonly Happening[] };
