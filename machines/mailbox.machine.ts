// The wallet's place in the mailbox. Messages tell it what became of them, in the commit that decides them.
//
//   message                    mailbox                    connection
//      │ message.consumed         │                           │
//      ├─────────────────────────▶│ Following: position moves │
//      │ package.halted           │                           │
//      ├─────────────────────────▶│ Halted ── haltConnection ▶│ backs off, reads again from the position
//      │ message.consumed         │                           │
//      ├─────────────────────────▶│ Following                 │
import { setup } from "xstate";
import { effectActions } from "./effects.ts";
import type { MachineDefinition } from "./step.ts";

type MailboxContext = {
  /** Checkpoint of the last message that was fully consumed; the server is asked for what comes after it. */
  readonly position: bigint;
  /** Checkpoint of the package that could not be decided. */
  readonly haltedAt: bigint | null;
  readonly haltCode: string | null;
  /** How often a package halted. */
  readonly halts: number;
};

type MailboxEvent =
  | { readonly type: "message.consumed"; readonly checkpoint: bigint; readonly advance: boolean }
  | { readonly type: "package.halted"; readonly checkpoint: bigint; readonly code: string };

const definition = setup({
  types: { context: {} as MailboxContext, events: {} as MailboxEvent },
  actions: effectActions("haltConnection"),
  guards: {
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

const noteHalt = definition.assign(({ context, event }) => {
  if (event.type !== "package.halted") return {};
  return { haltedAt: event.checkpoint, haltCode: event.code, halts: context.halts + 1 };
});

const clearHalt = definition.assign({ haltedAt: null, haltCode: null });

const halt = {
  target: "Halted",
  actions: [
    noteHalt,
    {
      type: "haltConnection" as const,
      params: ({ context }: { context: MailboxContext }) => ({
        checkpoint: context.haltedAt ?? 0n,
        code: context.haltCode ?? "",
      }),
    },
  ],
};

/** `mailbox/main`: Following ⇄ Halted. */
export const mailboxMachine: MachineDefinition = {
  name: "mailbox",
  revision: 1,
  logic: definition.createMachine({
    id: "mailbox",
    initial: "Following",
    context: { position: 0n, haltedAt: null, haltCode: null, halts: 0 },
    states: {
      /** Every message up to the position is consumed. */
      Following: {
        on: {
          "message.consumed": { guard: "moves", actions: [move] },
          "package.halted": halt,
        },
      },
      /** A package could not be decided. The position stands before it until it is (mailbox.md M-28). */
      Halted: {
        on: {
          "message.consumed": [
            { guard: "endsHalt", target: "Following", actions: [move, clearHalt] },
            { guard: "isBeforeHalt", actions: [move] },
          ],
          "package.halted": halt,
        },
      },
    },
  }),
};
