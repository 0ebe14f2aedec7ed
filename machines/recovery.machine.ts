// A wallet that was made from its seed alone asks for what the seed had before (mailbox.md M-67).
//
//   owner             recovery                     executors
//      │ recovery.requested│                            │
//      ├──────────────────▶│ Restoring                  │ reads the backup, fetches each VTXO, checks it, then the mailbox
//      │                   │◀──────── recovery.keysFound┤ keys far ahead are the wallet's: looked for from there on
//      │                   │◀────────── recovery.scanned┤ what came of it
//      │                   │ Restoring: somebody did not answer, so again at the next connection
//      │                   │ Restored
import { setup } from "xstate";
import { encodeCanonical } from "./canonical.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

/** What came of a restore. Every id of the backup is counted once. */
export type RecoveryReport = {
  /** Ids in the backup, each once. */
  readonly ids: number;
  /** The wallet's money now. */
  readonly credited: number;
  /** The server calls them spent, or another VTXO of the wallet was made of them. */
  readonly spent: number;
  readonly superseded: number;
  /**
   * In quarantine, with a reason: contracts, VTXOs of another server, expired ones and others that are no money. HTLCs of
   * payments out leave it again.
   */
  readonly held: number;
  /** Neither: how many, and the first of them with what stood in the way. */
  readonly unresolved: number;
  readonly unresolvedIds: readonly { readonly id: string; readonly code: string }[];
  /** How many of those may be answered at the next connection. */
  readonly unanswered: number;
  /** Entries of the backup that are no id. */
  readonly malformed: number;
};

type RecoveryContext = { readonly nextKeyIndex: number; readonly report: RecoveryReport | null };

type RecoveryEvent =
  | { readonly type: "recovery.requested" }
  | { readonly type: "recovery.keysFound"; readonly nextKeyIndex: number }
  | { readonly type: "recovery.scanned"; readonly report: RecoveryReport };

const events: EventSchemas<RecoveryEvent["type"]> = {
  "recovery.requested": [],
  "recovery.keysFound": [],
  "recovery.scanned": [],
};

const definition = setup({
  types: { context: {} as RecoveryContext, events: {} as RecoveryEvent },
  guards: {
    isFarther: ({ context, event }) => event.type === "recovery.keysFound" && event.nextKeyIndex > context.nextKeyIndex,
    isAnswered: ({ event }) => event.type === "recovery.scanned" && event.report.unanswered === 0,
    isNews: ({ context, event }) =>
      event.type === "recovery.scanned" && encodeCanonical(event.report) !== encodeCanonical(context.report),
  },
});

const noteKeys = definition.assign(({ event }) =>
  event.type === "recovery.keysFound" ? { nextKeyIndex: event.nextKeyIndex } : {},
);
const noteReport = definition.assign(({ event }) => (event.type === "recovery.scanned" ? { report: event.report } : {}));

/** `recovery/main`: None → Restoring → Restored, of a wallet that was made to restore its seed. */
export const recoveryMachine: MachineDefinition = {
  name: "recovery",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "recovery",
    initial: "None",
    context: { nextKeyIndex: 0, report: null },
    states: {
      /** A wallet that begins with nothing. */
      None: { on: { "recovery.requested": { target: "Restoring" } } },
      /** Awaited: the backup, the server's copies and its word on each. At risk: what was not fetched yet is not seen. */
      Restoring: {
        on: {
          "recovery.keysFound": { guard: "isFarther", actions: [noteKeys] },
          "recovery.scanned": [
            { guard: "isAnswered", target: "Restored", actions: [noteReport] },
            { guard: "isNews", actions: [noteReport] },
          ],
        },
      },
      /** Every id of the backup has its answer, or the owner goes on without; the report says which it is. */
      Restored: {},
    },
  }),
};
