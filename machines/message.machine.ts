// One message of the mailbox, from its arrival to the record that decides it.
//
//   mailbox            message                       executors
//      │ message.received  │                              │
//      ├──────────────────▶│ Received                     │
//      │                   ├─ not a package ──▶ Ignored   │
//      │                   ├─ unknown kind ───▶ Kept, until a later build receives it again
//      │                   ├─ vetPackage ────────────────▶│ anchors, status, ownership
//      │                   │ Vetting                      │
//      │                   │◀───────────── package.vetted ┤
//      │◀─ consumeMessage ─┤ Applied ─ registerVtxos ────▶│
//      │                   │         ─ postRecoveryIds ──▶│
//      │                   │◀─ vtxos.registered ──────────┤
//      │                   │◀─ recoveryIds.posted ────────┤
//      │                   │   what is left, anew ───────▶│ while the server does not take some of them
//      │                   │ Completed                    │
//      │                   │                              │
//      │                   │◀───────── package.undecided ─┤
//      │◀── haltMailbox ───┤ Halted ─ haltConnection: backs off, reads again from the position
//      │ message.redelivered                              │
//      ├──────────────────▶│ Vetting … what alone gets no answer is held after a while
import { setup } from "xstate";
import { effectActions } from "./effects.ts";
import { ignoringRule, MALFORMED, type MessageContext, type MessageEvent, messageEvents, unknownMessage } from "./message.ts";
import { type HeldItem, leftOf, receiveMovement, selectHeld, selectNew } from "./package.ts";
import type { MachineDefinition } from "./step.ts";

/**
 * How often, and for how long since the first time, a package may fail for a reason of its own while chain and server
 * answer about others (mailbox.md W-22). What is still in the way then goes to quarantine, and the mailbox goes on.
 */
const MOST_OWN_FAILURES = 10;
const LONGEST_POISON_MS = 60 * 60_000;

/** Hex digits of a digest that name a held item. */
const KEY_DIGITS = 32;

const definition = setup({
  types: { context: {} as MessageContext, events: {} as MessageEvent },
  actions: effectActions(
    "vetPackage",
    "consumeMessage",
    "haltMailbox",
    "haltConnection",
    "holdItem",
    "registerVtxos",
    "postRecoveryIds",
  ),
  guards: {
    isUnknown: ({ event }) => event.type === "message.received" && event.kind === "unknown",
    isRecognised: ({ event }) => event.type === "message.received" && event.kind !== "unknown",
    isMalformed: ({ event }) => event.type === "message.received" && event.kind === "malformed",
    isPackage: ({ event }) => event.type === "message.received" && event.kind === "arkoor" && event.entries > 0,
    bringsMoney: ({ event }) => event.type === "package.vetted" && selectNew(event.verdicts, event.known).length > 0,
    isBackedUp: ({ context }) => context.backedUp,
    isRegistered: ({ context }) => context.registered,
    isNotBackedUp: ({ context }) => !context.backedUp,
    isNotRegistered: ({ context }) => !context.registered,
    isRegisteredInPart: ({ context, event }) => !context.registered && leftOf(event).length > 0,
    isBackedUpInPart: ({ context, event }) => !context.backedUp && leftOf(event).length > 0,
  },
});

const receive = definition.assign(({ event }) => {
  if (event.type !== "message.received") return {};
  const { checkpoint, digest, kind, advance } = event;
  return { checkpoint, digest, kind, advance, rule: null };
});

const holdMessage = definition.enqueueActions(({ context, enqueue }) => {
  const { digest, checkpoint } = context;
  const reason = { code: MALFORMED, message: "expected a mailbox message, got bytes that are none", permanent: true };
  const item: HeldItem = { id: null, amountSats: null, source: { digest, entry: null }, checkpoint, ...reason };
  enqueue({ type: "holdItem", params: { key: digest.slice(0, KEY_DIGITS), item } });
});

const nameIgnoringRule = definition.assign(({ event }) => ({
  rule: event.type === "message.received" ? ignoringRule(event.kind, event.notice) : "NOTHING_NEW",
}));

const credit = definition.assign(({ event }) => {
  if (event.type !== "package.vetted") return {};
  const vtxos = selectNew(event.verdicts, event.known);
  return { vtxos, movement: receiveMovement(event.movement, vtxos, event.replaced), haltCode: null };
});

const noteHeld = definition.assign(({ event }) => {
  if (event.type !== "package.vetted") return {};
  return { held: selectHeld(event.verdicts, event.known).map(({ key }) => key) };
});

const noteHalt = definition.assign(({ context, event }) => {
  if (event.type !== "package.undecided" && event.type !== "package.poisoned") return {};
  const halted = { halts: context.halts + 1, haltCode: event.code };
  if (event.type === "package.undecided") return halted;
  const poisonedMs = poisonedUntil(context, event.atMs);
  return { ...halted, ownFailures: context.ownFailures + 1, poisonedMs, poisonedAtMs: event.atMs };
});

const holdRefused = definition.enqueueActions(({ event, enqueue }) => {
  if (event.type !== "package.vetted") return;
  for (const { key, item } of selectHeld(event.verdicts, event.known)) {
    enqueue({ type: "holdItem", params: { key, item: item satisfies HeldItem } });
  }
});

const halt = ({ context }: { context: MessageContext }) => ({
  checkpoint: context.checkpoint,
  code: context.haltCode ?? "",
});

const consume = {
  type: "consumeMessage" as const,
  params: ({ context }: { context: MessageContext }) => ({ checkpoint: context.checkpoint, advance: context.advance }),
};

const vet = {
  type: "vetPackage" as const,
  params: ({ context, event }: { context: MessageContext; event: MessageEvent }) => ({
    checkpoint: context.checkpoint,
    digest: context.digest,
    holdPoison: context.ownFailures >= MOST_OWN_FAILURES && poisonedUntil(context, event.atMs) >= LONGEST_POISON_MS,
  }),
};

const notDecided = {
  target: "Halted",
  actions: [noteHalt, { type: "haltMailbox" as const, params: halt }, { type: "haltConnection" as const, params: halt }],
};

/** What the server did not take keeps nothing else back (mailbox.md W-34). */
const registerLeft = {
  type: "registerVtxos" as const,
  params: ({ context, event }: { context: MessageContext; event: MessageEvent }) => ({
    sources: context.vtxos.filter(({ id }) => leftOf(event).includes(id)).map(({ source }) => source),
  }),
};

const postLeft = {
  type: "postRecoveryIds" as const,
  params: ({ event }: { event: MessageEvent }) => ({ ids: leftOf(event) }),
};

/**
 * How long a package has failed for a reason of its own. Where the clock is put back, what it had waited until then counts,
 * and it need not wait for that clock's time to come again.
 */
function poisonedUntil({ ownFailures, poisonedMs, poisonedAtMs }: MessageContext, atMs: number): number {
  return ownFailures === 0 ? 0 : poisonedMs + Math.max(0, atMs - poisonedAtMs);
}

/** `message/<checkpoint>/<digest16>`: Received → Vetting → Applied → Completed, or Ignored, or Kept, or Halted and again. */
export const messageMachine: MachineDefinition = {
  name: "message",
  revision: 1,
  events: messageEvents,
  logic: definition.createMachine({
    id: "message",
    initial: "Received",
    context: unknownMessage,
    states: {
      /** Nothing is known of the message but its bytes. */
      Received: {
        on: {
          "message.received": [
            { guard: "isPackage", target: "Vetting", actions: [receive, vet] },
            { guard: "isUnknown", target: "Kept", actions: [receive, nameIgnoringRule, consume] },
            { guard: "isMalformed", target: "Ignored", actions: [receive, nameIgnoringRule, holdMessage, consume] },
            { target: "Ignored", actions: [receive, nameIgnoringRule, consume] },
          ],
        },
      },
      /** Of a newer server: consumed, and received once more from the log by a build that knows its kind (mailbox.md W-12). */
      Kept: {
        on: {
          "message.received": [
            { guard: "isPackage", target: "Vetting", actions: [receive, vet] },
            { guard: "isRecognised", target: "Ignored", actions: [receive, nameIgnoringRule, consume] },
          ],
        },
      },
      /** The package is being checked. Nothing is at risk: the checkpoint stands before it. */
      Vetting: {
        on: {
          "package.vetted": [
            {
              guard: "bringsMoney",
              target: "Applied",
              actions: [
                credit,
                noteHeld,
                holdRefused,
                consume,
                {
                  type: "registerVtxos",
                  params: ({ context }) => ({ sources: context.vtxos.map(({ source }) => source) }),
                },
                { type: "postRecoveryIds", params: ({ context }) => ({ ids: context.vtxos.map(({ id }) => id) }) },
              ],
            },
            { target: "Ignored", actions: [noteHeld, nameIgnoringRule, holdRefused, consume] },
          ],
          "package.undecided": notDecided,
          "package.poisoned": notDecided,
          // The process that asked is gone, and its question with it.
          "message.redelivered": { target: "Vetting", reenter: true, actions: [vet] },
        },
      },
      /** No answer: the checkpoint stands, the mailbox is read again from there. */
      Halted: { on: { "message.redelivered": { target: "Vetting", actions: [vet] } } },
      /** The money is the wallet's. Awaited: the server's copy of the signatures, and the backup of the ids, VTXO by VTXO. */
      Applied: {
        on: {
          "vtxos.registered": [
            { guard: "isRegisteredInPart", actions: [registerLeft] },
            { guard: "isBackedUp", target: "Completed", actions: [definition.assign({ registered: true })] },
            { guard: "isNotRegistered", actions: [definition.assign({ registered: true })] },
          ],
          "recoveryIds.posted": [
            { guard: "isBackedUpInPart", actions: [postLeft] },
            { guard: "isRegistered", target: "Completed", actions: [definition.assign({ backedUp: true })] },
            { guard: "isNotBackedUp", actions: [definition.assign({ backedUp: true })] },
          ],
        },
      },
      Completed: { type: "final" },
      Ignored: { type: "final" },
    },
  }),
};
