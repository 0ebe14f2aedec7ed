// The wallet's place in the mailbox. Messages tell it what became of them, in the commit that decides them.
//
//   message                    mailbox
//      │ message.consumed         │
//      ├─────────────────────────▶│ Following: position moves
//      │ package.halted           │
//      ├─────────────────────────▶│ Halted: the position stands
//      │ message.consumed         │
//      ├─────────────────────────▶│ Following
import { setup } from "xstate";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

type MailboxContext = {
  /** Checkpoint of the last message that was fully consumed; the server is asked for what comes after it. */
  readonly position: bigint;
  /** Checkpoint of the package that could not be decided. */
  readonly haltedAt: bigint | null;
  readonly haltCode: string | null;
};

type MailboxEvent =
  | { readonly type: "message.consumed"; readonly checkpoint: bigint; readonly advance: boolean }
  | { readonly type: "package.halted"; readonly checkpoint: bigint; readonly code: string };

const events: EventSchemas<MailboxEvent["type"]> = {
  "message.consumed": [],
  "package.halted": [],
};

const definition = setup({
  types: { context: {} as MailboxContext, events: {} as MailboxEvent },
  guards: {
    isNews: ({ context, event }) =>
      event.type === "package.halted" && (event.checkpoint !== context.haltedAt || event.code !== context.haltCode),
    moves: ({ context, event }) => event.type === "message.consumed" && event.advance && event.checkpoint > context.position,
    endsHalt: ({ context, event }) => event.type === "message.consumed" && event.checkpoint === context.haltedAt,
    isBeforeHalt: ({ context, event }) =>
      event.type === "message.consumed" &&
      event.advance &&
      context.haltedAt !== null &&
      event.checkpoint < context.haltedAt &&
      event.checkpoint > context.position,
  },
});

const move = definition.assign(({ context, event }) => {
  if (event.type !== "message.consumed" || !event.advance || event.checkpoint <= context.position) return {};
  return { position: event.checkpoint };
});

const noteHalt = definition.assign(({ event }) => {
  if (event.type !== "package.halted") return {};
  return { haltedAt: event.checkpoint, haltCode: event.code };
});

const clearHalt = definition.assign({ haltedAt: null, haltCode: null });

/** `mailbox/main`: Following ⇄ Halted. */
export const mailboxMachine: MachineDefinition = {
  name: "mailbox",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "mailbox",
    initial: "Following",
    context: { position: 0n, haltedAt: null, haltCode: null },
    states: {
      /** Every message up to the position is consumed. */
      Following: {
        on: {
          "message.consumed": { guard: "moves", actions: [move] },
          "package.halted": { target: "Halted", actions: [noteHalt] },
        },
      },
      /** A package could not be decided. The position stands before it until it is (mailbox.md M-28). */
      Halted: {
        on: {
          "message.consumed": [
            { guard: "endsHalt", target: "Following", actions: [move, clearHalt] },
            { guard: "isBeforeHalt", actions: [move] },
          ],
          "package.halted": { guard: "isNews", actions: [noteHalt] },
        },
      },
    },
  }),
};
