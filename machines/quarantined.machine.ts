// One VTXO that is not money now: kept with its bytes, looked at again, and released once it is (mailbox.md W-4).
//
//   message           quarantined                 executors
//      │ item.held        │                           │
//      ├─────────────────▶│ Held                      │
//      │                  │◀───────────── item.vetted ┤ on a new tip, at a start, on request
//      │                  │ Held: later again         │
//      │                  │ Dropped: known by now     │
//      │                  │ Released ─ registerVtxos ▶│
//      │                  │       ─ postRecoveryIds ─▶│
//      │                  │ Completed                 │
import { setup } from "xstate";
import { effectActions } from "./effects.ts";
import type { EventSchemas } from "./event-schemas.ts";
import {
  type AcceptedVtxo,
  type HeldItem,
  type ReceiveMovement,
  type ReplacedVtxo,
  receiveMovement,
  type Verdict,
} from "./package.ts";
import type { MachineDefinition } from "./step.ts";

const FIRST_WAIT_MS = 60_000;
/** The longest wait before a held item is looked at again. */
export const LONGEST_WAIT_MS = 24 * 60 * 60_000;

type QuarantinedContext = {
  readonly item: HeldItem | null;
  /** When it was held first. */
  readonly heldAtMs: number;
  /** How often it was looked at again in vain, and when it is the next time. */
  readonly attempts: number;
  readonly nextTryAtMs: number;
  readonly vtxos: readonly AcceptedVtxo[];
  readonly movement: ReceiveMovement | null;
  readonly registered: boolean;
  readonly backedUp: boolean;
};

type QuarantinedEvent = { readonly atMs: number } & (
  | { readonly type: "item.held"; readonly item: HeldItem }
  | {
      readonly type: "item.vetted";
      readonly verdict: Verdict;
      /** Fact: whether the wallet knows the VTXO already. */
      readonly isKnown: boolean;
      /** Fact: VTXOs of the wallet that give way to it (mailbox.md W-47). */
      readonly replaced?: readonly ReplacedVtxo[];
    }
  | { readonly type: "vtxos.registered" }
  | { readonly type: "recoveryIds.posted" }
);

const events: EventSchemas<QuarantinedEvent["type"]> = {
  "item.held": [],
  "item.vetted": [],
  "vtxos.registered": [],
  "recoveryIds.posted": [],
};

const definition = setup({
  types: { context: {} as QuarantinedContext, events: {} as QuarantinedEvent },
  actions: effectActions("registerVtxos", "postRecoveryIds"),
  guards: {
    isKnown: ({ event }) => event.type === "item.vetted" && event.isKnown,
    isAccepted: ({ event }) => event.type === "item.vetted" && event.verdict.kind === "accepted",
    isRefused: ({ event }) => event.type === "item.vetted" && event.verdict.kind === "refused",
    isBackedUp: ({ context }) => context.backedUp,
    isRegistered: ({ context }) => context.registered,
    isNotBackedUp: ({ context }) => !context.backedUp,
    isNotRegistered: ({ context }) => !context.registered,
  },
});

const hold = definition.assign(({ event }) =>
  event.type === "item.held" ? { item: event.item, heldAtMs: event.atMs, nextTryAtMs: event.atMs + waitMs(0) } : {},
);

const noteRefusal = definition.assign(({ context, event }) => {
  if (event.type !== "item.vetted" || event.verdict.kind !== "refused") return {};
  const attempts = context.attempts + 1;
  const { movement } = context.item ?? {};
  const item = movement === undefined ? event.verdict.item : { ...event.verdict.item, movement };
  return { item, attempts, nextTryAtMs: event.atMs + waitMs(attempts) };
});

const credit = definition.assign(({ context, event }) => {
  if (event.type !== "item.vetted" || event.verdict.kind !== "accepted" || context.item === null) return {};
  const { vtxo } = event.verdict;
  const id = context.item.movement ?? `arkoor_receive.${context.item.checkpoint}.${vtxo.id}`;
  return { vtxos: [vtxo], movement: receiveMovement(id, [vtxo], event.replaced) };
});

/** `quarantined/<digest16>`: Held → Released → Completed, or Dropped. */
export const quarantinedMachine: MachineDefinition = {
  name: "quarantined",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "quarantined",
    initial: "Arriving",
    context: {
      item: null,
      heldAtMs: 0,
      attempts: 0,
      nextTryAtMs: 0,
      vtxos: [],
      movement: null,
      registered: false,
      backedUp: false,
    },
    states: {
      Arriving: { on: { "item.held": { target: "Held", actions: [hold] } } },
      /** Not money. Its bytes are in the log; the reason may pass. */
      Held: {
        on: {
          "item.vetted": [
            { guard: "isKnown", target: "Dropped" },
            {
              guard: "isAccepted",
              target: "Released",
              actions: [
                credit,
                {
                  type: "registerVtxos",
                  params: ({ context }) => ({ sources: context.vtxos.map(({ source }) => source) }),
                },
                { type: "postRecoveryIds", params: ({ context }) => ({ ids: context.vtxos.map(({ id }) => id) }) },
              ],
            },
            { guard: "isRefused", actions: [noteRefusal] },
          ],
        },
      },
      /** Money since the record that brought it here, with a movement of its own (mailbox.md W-15). */
      Released: {
        on: {
          "vtxos.registered": [
            { guard: "isBackedUp", target: "Completed", actions: [definition.assign({ registered: true })] },
            { guard: "isNotRegistered", actions: [definition.assign({ registered: true })] },
          ],
          "recoveryIds.posted": [
            { guard: "isRegistered", target: "Completed", actions: [definition.assign({ backedUp: true })] },
            { guard: "isNotBackedUp", actions: [definition.assign({ backedUp: true })] },
          ],
        },
      },
      Completed: { type: "final" },
      Dropped: { type: "final" },
    },
  }),
};

/** Twice as long after each look in vain: an item that is never money costs a record a day at last. */
function waitMs(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 20));
}
