// The connection to the server's mailbox. Giving up is a named wait, not an end.
//
//   wallet            connection                      executor
//      │ run.requested    │                               │
//      ├─────────────────▶│ Connecting ─ openConnection ─▶│ channel, handshake, keys
//      │                  │◀─────────── connection.opened ┤
//      │                  │ CatchingUp                    │ reads pages until one is empty
//      │                  │◀──────────── mailbox.caughtUp ┤
//      │                  │ Live ───────── openStream ───▶│ subscription
//      │                  │◀─────────── connection.failed ┤
//      │                  │ BackingOff ──── startTimer ──▶│ after five in a row: CoolingDown
//      │                  │      after a halt: readNotices▶│ reads on behind the package, for notices alone
//      │                  │◀─────────────────── timer.due ┤
//      │                  │ Connecting …                  │
import { setup } from "xstate";
import { effectActions, type RunMode } from "./effects.ts";
import type { EventSchemas } from "./event-schemas.ts";
import type { MachineDefinition } from "./step.ts";

/** Timer that ends a wait of the connection. */
const RETRY_TIMER = "connection.retry";
const FIRST_WAIT_MS = 1_000;
const FIRST_COOLING_WAIT_MS = 60_000;
/** A server that stays away for hours costs a few records an hour; `run.requested` ends a wait at once. */
const LONGEST_COOLING_WAIT_MS = 15 * 60_000;
/** Failures in a row before the longer wait (mailbox.md M-21). */
const FAILURE_BUDGET = 5;
/** A connection that held this long was a good one (mailbox.md W-28). */
export const STEADY_MS = 30_000;

type ConnectionContext = {
  readonly mode: RunMode;
  /** Failures and halts since the last progress. */
  readonly failures: number;
  readonly openedAtMs: number | null;
  readonly dueAtMs: number | null;
  /** Why the connection waits or stopped. */
  readonly code: string | null;
};

type Clock = { readonly atMs: number };

type ConnectionEvent = Clock &
  (
    | { readonly type: "run.requested"; readonly mode: RunMode }
    | { readonly type: "stop.requested" }
    | { readonly type: "process.restarted" }
    | { readonly type: "connection.opened" }
    | { readonly type: "mailbox.caughtUp" }
    | { readonly type: "mailbox.progressed" }
    | { readonly type: "package.halted"; readonly checkpoint: bigint; readonly code: string; readonly jitterPermille: number }
    | { readonly type: "connection.failed"; readonly code: string; readonly jitterPermille: number }
    | { readonly type: "connection.refused"; readonly code: string }
    | { readonly type: "timer.due" }
  );

const events: EventSchemas<ConnectionEvent["type"]> = {
  "run.requested": [],
  "stop.requested": [],
  "process.restarted": [],
  "connection.opened": [],
  "mailbox.caughtUp": [],
  "mailbox.progressed": [],
  "package.halted": [],
  "connection.failed": [],
  "connection.refused": [],
  "timer.due": [],
};

const definition = setup({
  types: { context: {} as ConnectionContext, events: {} as ConnectionEvent },
  actions: effectActions("openConnection", "openStream", "closeConnection", "readNotices", "startTimer", "cancelTimer"),
  guards: {
    isDraining: ({ context }) => context.mode === "drain",
    isFollowing: ({ event }) => event.type === "run.requested" && event.mode === "live",
    hasFailed: ({ context }) => context.failures > 0,
    isOverBudget: ({ context, event }) => failuresAfter(context, event) >= FAILURE_BUDGET,
  },
});

const noteMode = definition.assign(({ event }) =>
  event.type === "run.requested" ? { mode: event.mode, failures: 0, code: null } : {},
);
const noteOpened = definition.assign({ openedAtMs: ({ event }) => event.atMs });
const noteSteady = definition.assign({ failures: 0, code: null });
const noteEnd = definition.assign(({ event }) => ({
  openedAtMs: null,
  dueAtMs: null,
  code: "code" in event ? event.code : null,
}));
const noteFailure = definition.assign(({ context, event }) => {
  if (event.type !== "connection.failed" && event.type !== "package.halted") return {};
  const failures = failuresAfter(context, event);
  return { failures, openedAtMs: null, code: event.code, dueAtMs: event.atMs + waitMs(failures, event.jitterPermille) };
});
const wakeUp = {
  type: "startTimer" as const,
  params: ({ context }: { context: ConnectionContext }) => ({ timer: RETRY_TIMER, dueAtMs: context.dueAtMs ?? 0 }),
};
const connect = {
  type: "openConnection" as const,
  params: ({ context }: { context: ConnectionContext }) => ({ mode: context.mode }),
};
const disconnect = { type: "closeConnection" as const, params: {} };
const cancelRetry = { type: "cancelTimer" as const, params: { timer: RETRY_TIMER } };

/** Notices behind a package that halts do not wait for it (mailbox.md W-23). */
const readOn = {
  type: "readNotices" as const,
  params: ({ context }: { context: ConnectionContext }) => ({ mode: context.mode }),
};

const retryAfter = (end: typeof disconnect | typeof readOn) => [
  { guard: "isOverBudget" as const, target: "CoolingDown", actions: [noteFailure, end, wakeUp] },
  { target: "BackingOff", actions: [noteFailure, end, wakeUp] },
];
const loseAfter = (end: typeof disconnect | typeof readOn) => [
  { guard: "isDraining" as const, target: "Stopped", actions: [noteEnd, end] },
  ...retryAfter(end),
];
const refuse = { target: "Stopped", actions: [noteEnd, disconnect] };
const working = {
  "connection.failed": loseAfter(disconnect),
  "package.halted": loseAfter(readOn),
  "connection.refused": refuse,
  "stop.requested": { target: "Stopped", actions: [noteEnd, disconnect] },
  "process.restarted": { target: "Stopped", actions: [noteEnd] },
  "mailbox.progressed": { guard: "hasFailed" as const, actions: [noteSteady] },
};
const waiting = {
  // Whoever asks again does not want to wait.
  "run.requested": { guard: "isFollowing" as const, target: "Connecting", actions: [noteMode, cancelRetry, connect] },
  "timer.due": { target: "Connecting", actions: [connect] },
  "stop.requested": { target: "Stopped", actions: [noteEnd, cancelRetry, disconnect] },
  "process.restarted": { target: "Stopped", actions: [noteEnd, cancelRetry] },
};

/** `connection/main`: Stopped → Connecting → CatchingUp → Live, with BackingOff and CoolingDown between tries. */
export const connectionMachine: MachineDefinition = {
  name: "connection",
  revision: 1,
  events,
  logic: definition.createMachine({
    id: "connection",
    initial: "Stopped",
    context: { mode: "live", failures: 0, openedAtMs: null, dueAtMs: null, code: null },
    states: {
      /** Nobody asked for a connection, or the server is not the wallet's (`code` says which). */
      Stopped: { on: { "run.requested": { target: "Connecting", actions: [noteMode, connect] } } },
      /** Awaited: channel, handshake, and keys that match the pinned ones. */
      Connecting: { on: { ...working, "connection.opened": { target: "CatchingUp", actions: [noteOpened] } } },
      /** Pages are read until one is empty. */
      CatchingUp: {
        on: {
          ...working,
          "mailbox.caughtUp": [
            { guard: "isDraining", target: "Stopped", actions: [noteEnd, disconnect] },
            { target: "Live", actions: [{ type: "openStream", params: {} }] },
          ],
        },
      },
      /** The subscription is open: what is posted arrives at once. */
      Live: { on: { ...working, "connection.failed": retryAfter(disconnect), "package.halted": retryAfter(readOn) } },
      /** A short wait after a failure or a halt (mailbox.md M-22); after a halt the session stays, for notices. */
      BackingOff: { on: waiting },
      /** A longer wait after several failures in a row, up to a quarter of an hour. */
      CoolingDown: { on: waiting },
    },
  }),
};

function failuresAfter(context: ConnectionContext, event: ConnectionEvent): number {
  const steady = context.openedAtMs !== null && event.atMs - context.openedAtMs >= STEADY_MS;
  return (steady && event.type === "connection.failed" ? 0 : context.failures) + 1;
}

/** A wait between half and all of its length, longer with every failure (mailbox.md M-21, M-22). */
function waitMs(failures: number, jitterPermille: number): number {
  const longest =
    failures < FAILURE_BUDGET
      ? FIRST_WAIT_MS * 2 ** (failures - 1)
      : Math.min(LONGEST_COOLING_WAIT_MS, FIRST_COOLING_WAIT_MS * 2 ** (failures - FAILURE_BUDGET));
  return Math.floor(longest / 2 + (longest / 2) * (jitterPermille / 1000));
}
