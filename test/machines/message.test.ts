import { expect, test } from "vitest";
import { messageMachine } from "../../machines/message.machine.ts";
import { step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";
import { accepted, idOf, refused, vtxoOf } from "./fixtures.ts";

const received = {
  type: "message.received",
  checkpoint: 7n,
  digest: "ab".repeat(32),
  kind: "arkoor",
  entries: 2,
  notice: null,
  ahead: false,
  advance: true,
  atMs: 0,
} as const;
const redelivered = { type: "message.redelivered", atMs: 0 } as const;
const vetted = {
  type: "package.vetted",
  verdicts: [accepted(1), refused(2)],
  known: [] as string[],
  movement: "arkoor_receive.7",
  atMs: 0,
} as const;
const undecided = { type: "package.undecided", code: "CHAIN_TIMEOUT", message: "no answer", atMs: 0 } as const;
const poisoned = { ...undecided, type: "package.poisoned", code: "CHAIN_TXID_MISMATCH" } as const;
const registered = { type: "vtxos.registered", atMs: 0 } as const;
const posted = { type: "recoveryIds.posted", atMs: 0 } as const;
const left = [idOf(1)];

testTable(
  messageMachine,
  {
    Received: given(messageMachine),
    Vetting: given(messageMachine, received),
    Halted: given(messageMachine, received, undecided),
    Applied: given(messageMachine, received, vetted),
    "Applied and registered": given(messageMachine, received, vetted, registered),
    "Applied and backed up": given(messageMachine, received, vetted, posted),
    Completed: given(messageMachine, received, vetted, posted, registered),
    Ignored: given(messageMachine, { ...received, kind: "recovery-vtxo-ids", entries: 0 }),
    Kept: given(messageMachine, { ...received, kind: "unknown", entries: 0 }),
  },
  {
    "a package": received,
    "an empty package": { ...received, entries: 0 },
    "an unknown kind": { ...received, kind: "unknown", entries: 0 },
    "no message at all": { ...received, kind: "malformed", entries: 0 },
    redelivered,
    "vetted, one good and one bad": vetted,
    "vetted, all bad": { ...vetted, verdicts: [refused(1), refused(2)] },
    "vetted, all known": { ...vetted, verdicts: [accepted(1), { kind: "known", id: idOf(2) }], known: [idOf(1), idOf(2)] },
    undecided,
    poisoned,
    registered,
    posted,
    "registered in part": { ...registered, left },
    "posted in part": { ...posted, left },
    "timer.due": { type: "timer.due" },
  },
  {
    Received: {
      "a package": "Vetting: vetPackage",
      "an empty package": "Ignored: consumeMessage",
      "an unknown kind": "Kept: consumeMessage",
      "no message at all": "Ignored: holdItem, consumeMessage",
    },
    Kept: {
      "a package": "Vetting: vetPackage",
      "an empty package": "Ignored: consumeMessage",
      "no message at all": "Ignored: consumeMessage",
    },
    Vetting: {
      redelivered: "Vetting: vetPackage",
      "vetted, one good and one bad": "Applied: holdItem, consumeMessage, registerVtxos, postRecoveryIds",
      "vetted, all bad": "Ignored: holdItem, holdItem, consumeMessage",
      "vetted, all known": "Ignored: consumeMessage",
      undecided: "Halted: haltMailbox, haltConnection",
      poisoned: "Halted: haltMailbox, haltConnection",
    },
    Halted: { redelivered: "Vetting: vetPackage" },
    Applied: {
      registered: "Applied",
      posted: "Applied",
      "registered in part": "Applied: registerVtxos",
      "posted in part": "Applied: postRecoveryIds",
    },
    "Applied and registered": { posted: "Completed", "posted in part": "Applied: postRecoveryIds" },
    "Applied and backed up": { registered: "Completed", "registered in part": "Applied: registerVtxos" },
  },
);

test.each([
  ["malformed", "MALFORMED_MESSAGE"],
  ["recovery-vtxo-ids", "RECOVERY_IDS_IN_MAIN_MAILBOX"],
  ["incoming-lightning-payment", "MALFORMED_HASH"],
  ["lightning-send-finished", "MALFORMED_HASH"],
  ["arkoor", "EMPTY_PACKAGE"],
])("a message of kind %s without a package is ignored by the rule %s", (kind, rule) => {
  const { next } = taken(step(messageMachine, undefined, { ...received, kind, entries: 0 }));
  expect(next).toMatchObject({ state: "Ignored", context: { rule, movement: null } });
});

test("a notice with a hash is ignored by the rule NOTICE_KEPT, and one ahead of its turn moves nothing", () => {
  const notice = { kind: "lightning-receive", hash: "ab".repeat(32) } as const;
  const event = { ...received, kind: "incoming-lightning-payment", entries: 0, notice };
  const inTurn = taken(step(messageMachine, undefined, event));
  expect(inTurn.next).toMatchObject({ state: "Ignored", context: { rule: "NOTICE_KEPT" } });
  const ahead = taken(step(messageMachine, undefined, { ...event, ahead: true, advance: false }));
  expect(ahead.effects).toEqual([{ type: "consumeMessage", params: { checkpoint: 7n, advance: false } }]);
});

test("a package that brings nothing new is ignored by the rule NOTHING_NEW, and what it refuses is held", () => {
  const outcome = taken(step(messageMachine, given(messageMachine, received), { ...vetted, verdicts: [refused(2)] }));
  expect(outcome.next).toMatchObject({ state: "Ignored", context: { rule: "NOTHING_NEW", movement: null } });
  expect(outcome.effects[0]).toMatchObject({ type: "holdItem", params: { item: { id: idOf(2) } } });
});

test("a VTXO that comes twice in a package counts once (mailbox.md W-18)", () => {
  const { next, effects } = taken(
    step(messageMachine, given(messageMachine, received), { ...vetted, verdicts: [accepted(1), accepted(1)] }),
  );
  expect(next.context.movement).toMatchObject({ amountSats: 1_000n, outputs: [idOf(1)] });
  expect(effects).toContainEqual({ type: "registerVtxos", params: { sources: [vtxoOf(1).source] } });
});

test("a partly known package counts its new VTXOs only (mailbox.md W-17)", () => {
  const verdicts = [accepted(1), { kind: "known", id: idOf(2) }, accepted(3, { amountSats: 50n })] as const;
  const { next } = taken(
    step(messageMachine, given(messageMachine, received), { ...vetted, verdicts, known: [idOf(1), idOf(2)] }),
  );
  expect(next.context.movement).toEqual({
    id: "arkoor_receive.7",
    amountSats: 50n,
    outputs: [idOf(3)],
    receivedOn: [{ keyIndex: 3, amountSats: 50n }],
  });
});

test("sums by owner key stand in the order of first appearance (mailbox.md W-20)", () => {
  const verdicts = [accepted(1, { keyIndex: 9 }), accepted(2, { keyIndex: 4 }), accepted(3, { keyIndex: 9 })];
  const { next } = taken(step(messageMachine, given(messageMachine, received), { ...vetted, verdicts }));
  expect(next.context.movement).toMatchObject({
    receivedOn: [
      { keyIndex: 9, amountSats: 2_000n },
      { keyIndex: 4, amountSats: 1_000n },
    ],
  });
});

test("a broken copy of a VTXO that the wallet has or takes is not held", () => {
  const verdicts = [accepted(1), refused(1), refused(5), refused(6, { id: null })];
  const { effects } = taken(step(messageMachine, given(messageMachine, received), { ...vetted, verdicts, known: [idOf(5)] }));
  const held = effects.flatMap((effect) => (effect.type === "holdItem" ? [effect.params.item.id] : []));
  expect(held).toEqual([null]);
});

test("every halt is counted with its reason, and the reason goes when the package is decided", () => {
  const halted = given(messageMachine, received, undecided, redelivered, { ...undecided, code: "DEADLINE" });
  expect(halted?.context).toMatchObject({ halts: 2, haltCode: "DEADLINE" });
  expect(given(messageMachine, received, undecided, redelivered, vetted)?.context).toMatchObject({ halts: 1, haltCode: null });
});

const HOUR_MS = 60 * 60_000;

test.each([
  ["9 failures of its own in 2 hours", 9, 2 * HOUR_MS, poisoned, false],
  ["10 failures of its own in less than an hour", 10, HOUR_MS - 1, poisoned, false],
  ["10 failures of its own in an hour", 10, HOUR_MS, poisoned, true],
  ["100 failures of chain or server in 2 hours", 100, 2 * HOUR_MS, undecided, false],
] as const)("after %s a package may go on without what is in the way: %s × %s ms", (_what, times, afterMs, failure, held) => {
  const [first, ...more] = Array.from({ length: times }, () => [redelivered, failure] as const);
  const tried = [received, ...(first ?? []).slice(1), ...more.flat()];
  const { effects } = taken(step(messageMachine, given(messageMachine, ...tried), { ...redelivered, atMs: afterMs }));
  expect(effects).toMatchObject([{ type: "vetPackage", params: { holdPoison: held } }]);
});

test("where the clock is put back a package has waited what it had until then, and what it waits from there on", () => {
  const [yearMs, minuteMs] = [365 * 24 * HOUR_MS, 60_000];
  const failedAt = (atMs: number) => [redelivered, { ...poisoned, atMs }];
  const holdsAfter = (...failures: readonly number[]) => {
    const failed = given(messageMachine, received, ...failures.flatMap(failedAt).slice(1));
    return (atMs: number): unknown => {
      const { effects } = taken(step(messageMachine, failed, { ...redelivered, atMs }));
      return effects[0]?.type === "vetPackage" && effects[0].params.holdPoison;
    };
  };
  const lasting = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  expect([HOUR_MS - 1, HOUR_MS].map(holdsAfter(yearMs, ...lasting))).toEqual([false, true]);
  const [first, later] = [yearMs, yearMs + 20 * minuteMs];
  expect([40 * minuteMs - 1, 40 * minuteMs].map(holdsAfter(first, later, ...lasting))).toEqual([false, true]);
});

test("the mailbox and the connection are told which package halted, and why, each time", () => {
  const params = { checkpoint: received.checkpoint, code: "DEADLINE" };
  const { effects } = taken(
    step(messageMachine, given(messageMachine, received, undecided, redelivered), { ...undecided, code: "DEADLINE" }),
  );
  expect(effects).toEqual([
    { type: "haltMailbox", params },
    { type: "haltConnection", params },
  ]);
});

test("a checkpoint that may not be trusted is consumed without moving the position (mailbox.md W-11)", () => {
  const { effects } = taken(step(messageMachine, given(messageMachine, { ...received, advance: false }), vetted));
  expect(effects).toContainEqual({ type: "consumeMessage", params: { checkpoint: 7n, advance: false } });
});

test("of what a server takes in part only the rest is asked for again (mailbox.md W-34)", () => {
  const verdicts = [accepted(1), accepted(2), accepted(3)];
  const applied = given(messageMachine, received, { ...vetted, verdicts });
  const again = (event: typeof registered | typeof posted) =>
    taken(step(messageMachine, applied, { ...event, left: [idOf(2), idOf(3)] })).effects;
  const sources = [vtxoOf(2).source, vtxoOf(3).source];
  expect(again(registered)).toEqual([{ type: "registerVtxos", params: { sources } }]);
  expect(again(posted)).toEqual([{ type: "postRecoveryIds", params: { ids: [idOf(2), idOf(3)] } }]);
});
