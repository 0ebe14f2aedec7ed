// Brings the ids of what payments make into the recovery mailbox, and watches whether the wallet's VTXOs stand there, as
// somebody else can keep them out (mailbox.md W-42).
//
//   payments, executors  backup                   executors → server
//      │ backup.requested │                          │
//      ├─────────────────▶│ Watching postRecoveryIds▶│ PostRecoveryVtxoIds, until the server took them
//      │                  │◀──────recoveryIds.posted ┤
//      │ backup.checked   │
//      ├─────────────────▶│ Watching   what is missing, once a day, and whenever it changed
import { setup } from "xstate";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { encodeCanonical } from "./canonical.ts";
import { effectActions } from "./effects.ts";
import type { EventSchemas } from "./event-schemas.ts";
import { leftOf, type TakenInPart } from "./package.ts";
import type { MachineDefinition } from "./step.ts";

/** How often the recovery mailbox is read back. */
export const BACKUP_CHECK_MS = 24 * 60 * 60_000;

type BackupContext = {
  /** 0 before the first time. */
  readonly checkedAtMs: number;
  /** How many VTXOs were posted and are not there, and the first of them. */
  readonly missing: number;
  readonly missingIds: readonly VtxoId[];
};

type BackupEvent =
  | { readonly type: "backup.requested"; readonly ids: readonly VtxoId[] }
  | ({ readonly type: "recoveryIds.posted" } & TakenInPart)
  | {
      readonly type: "backup.checked";
      readonly missing: number;
      readonly missingIds: readonly VtxoId[];
      readonly atMs: number;
    };

const events: EventSchemas<BackupEvent["type"]> = { "backup.requested": [], "recoveryIds.posted": [], "backup.checked": [] };

const definition = setup({
  types: { context: {} as BackupContext, events: {} as BackupEvent },
  actions: effectActions("postRecoveryIds"),
  guards: {
    isTakenInPart: ({ event }) => leftOf(event).length > 0,
    isDueOrNews: ({ context, event }) =>
      event.type === "backup.checked" &&
      (Math.abs(event.atMs - context.checkedAtMs) >= BACKUP_CHECK_MS ||
        event.missing !== context.missing ||
        encodeCanonical(event.missingIds) !== encodeCanonical(context.missingIds)),
  },
});

const note = definition.assign(({ event }) => {
  if (event.type !== "backup.checked") return {};
  const { atMs, missing, missingIds } = event;
  return { checkedAtMs: atMs, missing, missingIds };
});

/** What the server did not take keeps nothing else back (mailbox.md W-34). */
const postLeft = {
  type: "postRecoveryIds" as const,
  params: ({ event }: { event: BackupEvent }) => ({ ids: leftOf(event) }),
};

/** `backup/main`: one state; records say what is to be posted, that it was, and what is missing. */
export const backupMachine: MachineDefinition = {
  name: "backup",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "backup",
    initial: "Watching",
    context: { checkedAtMs: 0, missing: 0, missingIds: [] },
    states: {
      /** At risk: a VTXO that is not there is not found again from the seed alone. */
      Watching: {
        on: {
          "backup.requested": {
            actions: [
              { type: "postRecoveryIds", params: ({ event }) => ({ ids: event.type === "backup.requested" ? event.ids : [] }) },
            ],
          },
          // Its command leaves the outbox with it.
          "recoveryIds.posted": [{ guard: "isTakenInPart", actions: [postLeft] }, { target: "Watching" }],
          "backup.checked": { guard: "isDueOrNews", actions: [note] },
        },
      },
    },
  }),
};
