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
  return { kind: "accepted", vtxo: vtxoOf(n, more) };
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
