// Whether the wallet's VTXOs stand in its recovery mailbox, as somebody else can keep them out (mailbox.md W-42).
//
//   executors         backup
//      │ backup.checked   │
//      ├─────────────────▶│ Watching   what is missing, once a day, and whenever it changed
import { setup } from "xstate";
import type { VtxoId } from "../ark/vtxo-id.ts";
import { encodeCanonical } from "./canonical.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

/** How often the recovery mailbox is read back. */
export const BACKUP_CHECK_MS = 24 * 60 * 60_000;

type BackupContext = {
  readonly checkedAtMs: number;
  /** How many VTXOs were posted and are not there, and the first of them. */
  readonly missing: number;
  readonly missingIds: readonly VtxoId[];
};

type BackupEvent = {
  readonly type: "backup.checked";
  readonly missing: number;
  readonly missingIds: readonly VtxoId[];
  readonly atMs: number;
};

const events: EventSchemas<BackupEvent["type"]> = { "backup.checked": [] };

const definition = setup({
  types: { context: {} as BackupContext, events: {} as BackupEvent },
  guards: {
    isDueOrNews: ({ context, event }) =>
      event.atMs - context.checkedAtMs >= BACKUP_CHECK_MS ||
      event.missing !== context.missing ||
      encodeCanonical(event.missingIds) !== encodeCanonical(context.missingIds),
  },
});

const note = definition.assign(({ event: { atMs, missing, missingIds } }) => ({ checkedAtMs: atMs, missing, missingIds }));

/** `backup/main`: one state; a record says what is missing. */
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
      Watching: { on: { "backup.checked": { guard: "isDueOrNews", actions: [note] } } },
    },
  }),
};
