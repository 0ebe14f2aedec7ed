import type { ForeignVtxo, PaymentInput } from "../../machines/books.ts";
import type { AcceptedVtxo, HeldItem, Verdict } from "../../machines/package.ts";

/** A made-up VTXO id: `n` repeated. */
export function idOf(n: number): string {
  return `${n.toString(16).padStart(2, "0").repeat(32)}:0`;
}

/** A VTXO that passed every check. */
export function vtxoOf(n: number, more: Partial<AcceptedVtxo> = {}): AcceptedVtxo {
  const source = { digest: "ab".repeat(32), entry: n };
  return {
    id: idOf(n),
    amountSats: 1_000n,
    expiryHeight: 5_000,
    exitDepth: 3,
    keyIndex: n,
    source,
    registered: true,
    flags: [],
    ...more,
  };
}

/** The verdict that accepts {@link vtxoOf}. */
export function accepted(n: number, more: Partial<AcceptedVtxo> = {}): Verdict {
  return { kind: "accepted", key: n.toString(16).padStart(16, "0"), vtxo: vtxoOf(n, more) };
}

/** An item that is held. */
export function itemOf(n: number, more: Partial<HeldItem> = {}): HeldItem {
  const source = { digest: "ab".repeat(32), entry: n };
  const reason = { code: "ANCHOR_NOT_FOUND", message: "expected an anchor, got none", permanent: false };
  return { id: idOf(n), amountSats: 1_000n, source, checkpoint: 7n, ...reason, ...more };
}

/** The verdict that refuses {@link itemOf}. */
export function refused(n: number, more: Partial<HeldItem> = {}): Verdict {
  return { kind: "refused", key: n.toString(16).padStart(16, "0"), item: itemOf(n, more) };
}

/** An input of a payment. */
export function inputOf(n: number, amountSats: bigint): PaymentInput {
  const { id, expiryHeight, exitDepth, keyIndex, source } = vtxoOf(n);
  return { id, amountSats, expiryHeight, exitDepth, keyIndex, source };
}

/** A VTXO of a recipient. */
export function paidOf(n: number, amountSats: bigint): ForeignVtxo {
  const { id, source } = vtxoOf(n);
  return { id, amountSats, source };
}

/** The request of a payment with these inputs, as the run loop completes it. */
export function payment(inputs: readonly PaymentInput[], amountSats: bigint) {
  const facts = { inputsAreFree: true, keyIndex: 9, movement: "arkoor_send.01" };
  return { type: "payment.requested", address: "tark1", amountSats, inputs, ...facts } as const;
}
