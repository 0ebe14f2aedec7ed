import type { AnchorCode } from "../../machines/anchors.machine.ts";
import type { MachineEvent } from "../../machines/step.ts";
import { accepted, idOf, inputOf, itemOf, paidOf, payment, refused, vtxoOf } from "./fixtures.ts";
import { events as receiveEvents } from "./lightning-receive/fixtures.ts";
import { happenings } from "./lightning-send/payment.ts";

/** Events that between them satisfy every guard. */
export const samples: { readonly [machine: string]: readonly MachineEvent[] } = {
  wallet: [
    { type: "wallet.created", network: "regtest", fingerprint: "01", serverUrl: "a", chainUrl: "b" },
    { type: "wallet.opened", epoch: 2n },
    { type: "wallet.configured", network: "regtest", serverUrl: "a", chainUrl: "c" },
    { type: "server.pinned", serverPubkey: "02", mailboxPubkey: "03" },
    { type: "address.issued", keyIndex: 1 },
  ],
  connection: [
    ...["live", "drain"].map((mode) => ({ type: "run.requested", mode })),
    { type: "stop.requested" },
    { type: "process.restarted" },
    { type: "connection.opened" },
    { type: "mailbox.caughtUp" },
    { type: "mailbox.progressed" },
    { type: "package.halted", checkpoint: 5n, code: "CHAIN_TIMEOUT", jitterPermille: 0 },
    { type: "connection.failed", code: "STREAM_RESET", jitterPermille: 0 },
    { type: "connection.refused", code: "SERVER_KEY_CHANGED" },
    { type: "timer.due" },
  ],
  mailbox: [
    ...[3n, 5n, 7n].map((checkpoint) => ({ type: "message.consumed", checkpoint, advance: true })),
    ...[5n, 7n].map((checkpoint) => ({ type: "package.halted", checkpoint, code: "CHAIN_TIMEOUT" })),
  ],
  message: [
    ...(["arkoor", "arkoor", "unknown", "malformed"] as const).map((kind, index) => ({
      type: "message.received",
      checkpoint: 1n,
      digest: "",
      kind,
      entries: index === 0 ? 1 : 0,
      notice: null,
      ahead: false,
      advance: true,
    })),
    ...[null, { kind: "round", hash: "ab" }].map((notice) => ({
      type: "message.received",
      checkpoint: 1n,
      digest: "",
      kind: "round-participation-completed",
      entries: 0,
      notice,
      ahead: notice !== null,
      advance: notice === null,
    })),
    { type: "message.redelivered" },
    ...[accepted(1), refused(1)].map((verdict) => ({ type: "package.vetted", verdicts: [verdict], known: [], movement: "m" })),
    { type: "package.undecided", code: "CHAIN_TIMEOUT", message: "" },
    { type: "package.poisoned", code: "CHAIN_TXID_MISMATCH", message: "" },
    ...[{}, { left: [idOf(1)] }].flatMap((left) => [
      { type: "vtxos.registered", ...left },
      { type: "recoveryIds.posted", ...left },
    ]),
  ],
  quarantined: [
    { type: "item.held", item: itemOf(1) },
    { type: "item.vetted", verdict: accepted(1), isKnown: false },
    { type: "item.vetted", verdict: { kind: "known", id: idOf(1) }, isKnown: true },
    { type: "item.vetted", verdict: refused(1, { code: "ANCHOR_SPENT" }), isKnown: false },
    { type: "vtxos.registered" },
    { type: "recoveryIds.posted" },
  ],
  salvage: [
    { type: "wallet.salvaged", keptSeq: 7n, lostTo: 9n, damage: ["STORE_BAD_FRAME"], keyGap: 20 },
    { type: "vtxos.checked", unspent: [idOf(1)], withdrawn: [] },
    { type: "vtxos.checked", unspent: [], withdrawn: [{ id: idOf(2), amountSats: 5n, key: "k.7", item: itemOf(2) }] },
    { type: "wallet.reconciled" },
  ],
  recovery: [
    { type: "recovery.requested" },
    ...[5, 9].map((nextKeyIndex) => ({ type: "recovery.keysFound", nextKeyIndex })),
    ...[1, 0].map((unanswered) => ({ type: "recovery.scanned", report: reportOf(unanswered) })),
  ],
  exit: [
    { type: "exit.ended", payment: "arkoor-send/1", vtxos: [], movement: "m" },
    { type: "exit.ended", payment: "arkoor-send/1", vtxos: [{ id: idOf(1), amountSats: 5n }], movement: "m" },
  ],
  backup: [
    { type: "backup.requested", ids: [idOf(1)] },
    { type: "recoveryIds.posted" },
    { type: "recoveryIds.posted", left: [idOf(1)] },
    { type: "backup.checked", missing: 1, missingIds: [idOf(1)], atMs: 1 },
    { type: "backup.checked", missing: 0, missingIds: [], atMs: 2 ** 40 },
  ],
  drive: [true, false].map((isLatest) => ({
    type: "drive.finished",
    kind: "lightning-send",
    hash: "ab",
    throughSeq: 7n,
    outcome: "driven",
    isLatest,
  })),
  "arkoor-send": [
    payment([inputOf(1, 600n), inputOf(2, 500n)], 700n),
    { type: "package.cosigned", paid: [paidOf(3, 600n), paidOf(4, 100n)], change: [vtxoOf(5, { amountSats: 400n })] },
    ...[[], [idOf(1)]].map((spent) => ({ type: "package.refused", code: "SERVER_REJECTED", message: "no", spent, unknown: [] })),
    ...[4_976, 4_977].map((tipHeight) => ({ type: "deadline.checked", tipHeight })),
    { type: "package.registered", refusal: null },
    { type: "delivery.failed", code: "SERVER_FAILED" },
    { type: "package.delivered" },
  ],
  "lightning-send": [...Object.values(happenings), { type: "step.delayed", code: "GRPC_13", tipHeight: 1 }],
  anchors: [
    ...(["ANCHOR_NOT_FOUND", "ANCHOR_UNCONFIRMED", "ANCHOR_SPENT", null] as const).map((code) => anchorsSeen(100, code)),
    anchorsSeen(101, "ANCHOR_NOT_FOUND"),
    { type: "anchors.seen", height: 102, findings: [], vtxos: [], gone: ["ab:0"] },
  ],
  expiry: ["refresh", null].map((stage, index) => ({
    type: "tip.seen",
    height: 100 + index,
    exitDelta: 144,
    refreshBlocks: 12,
    changes: [{ id: idOf(1), amountSats: 5n, expiryHeight: 260, stage }],
  })),
  "lightning-receive": Object.values(receiveEvents),
};

function reportOf(unanswered: number) {
  const none = { spent: 0, superseded: 0, held: 0, malformed: 0, unresolvedIds: [] };
  return { ids: 1, credited: 1 - unanswered, unresolved: unanswered, unanswered, ...none };
}

function anchorsSeen(height: number, code: AnchorCode | null): MachineEvent {
  const point = code === null ? null : "ab:0";
  const breaks = code === null ? [] : [{ point, code, message: code }];
  const findings = [{ anchor: "ab:0", outpoint: `${"ab".repeat(32)}:0`, breaks }];
  const vtxos = [{ anchor: "ab:0", id: idOf(1), amountSats: 5n, point, before: null }];
  return { type: "anchors.seen", height, findings, vtxos, gone: [] };
}
