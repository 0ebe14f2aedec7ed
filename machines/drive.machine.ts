// What notices asked to be looked at, and what of it was done (mailbox.md W-24).
//
//   message            drive                        executors
//      │ message.received │  the mark, a fold of it      │
//      ├ ─ ─ ─ ─ ─ ─ ─ ─ ▶│ Watching                     │ asks the payment's or the round's own instance
//      │                  │◀────────────── drive.finished┤ the mark goes, unless a later notice renewed it
import { setup } from "xstate";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

/** What a notice is about. */
export type NoticeKind = "lightning-send" | "lightning-receive" | "round";

/** What a message of the mailbox asks to be looked at. */
export type Notice = {
  readonly kind: NoticeKind;
  /** Payment hash, or unlock hash of a round: 64 hex digits. */
  readonly hash: string;
};

/** Whether there was something to look at: `unknown` is a hash that no instance of the wallet has. */
export type DriveOutcome = "driven" | "unknown";

type DriveContext = {
  /** What was driven last. */
  readonly kind: NoticeKind | null;
  readonly hash: string;
  /** The newest notice that the drive began after. */
  readonly throughSeq: bigint;
  readonly outcome: DriveOutcome | null;
};

type DriveEvent = {
  readonly type: "drive.finished";
  readonly kind: NoticeKind;
  readonly hash: string;
  readonly throughSeq: bigint;
  readonly outcome: DriveOutcome;
  /** Fact: whether the mark is there and no notice came after `throughSeq`. */
  readonly isLatest: boolean;
};

const events: EventSchemas<DriveEvent["type"]> = { "drive.finished": [] };

const definition = setup({
  types: { context: {} as DriveContext, events: {} as DriveEvent },
  guards: { isLatest: ({ event }) => event.isLatest },
});

const note = definition.assign(({ event: { kind, hash, throughSeq, outcome } }) => ({ kind, hash, throughSeq, outcome }));

/** `drive/main`: one state; each record takes the mark of one hash away. */
export const driveMachine: MachineDefinition = {
  name: "drive",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "drive",
    initial: "Watching",
    context: { kind: null, hash: "", throughSeq: 0n, outcome: null },
    states: {
      /** Marks wait in the fold of the messages' records. At risk: a claim or a revocation that comes too late. */
      Watching: { on: { "drive.finished": { guard: "isLatest", actions: [note] } } },
    },
  }),
};
