import { expect, test } from "vitest";
import { connectionMachine } from "../../machines/connection.machine.ts";
import { type Instance, step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";

const live = { type: "run.requested", mode: "live", atMs: 0 } as const;
const drain = { type: "run.requested", mode: "drain", atMs: 0 } as const;
const opened = { type: "connection.opened", atMs: 0 } as const;
const caughtUp = { type: "mailbox.caughtUp", atMs: 0 } as const;
const failed = { type: "connection.failed", code: "STREAM_RESET", jitterPermille: 0, atMs: 0 } as const;
const halted = { type: "package.halted", checkpoint: 7n, code: "CHAIN_TIMEOUT", jitterPermille: 0, atMs: 0 } as const;
const due = { type: "timer.due", atMs: 0 } as const;
const progressed = { type: "mailbox.progressed", atMs: 0 } as const;

const again = [due, failed] as const;
const fiveFailures = [live, failed, ...again, ...again, ...again, ...again] as const;

const states = {
  Stopped: given(connectionMachine),
  Connecting: given(connectionMachine, live),
  "Connecting to drain": given(connectionMachine, drain),
  "Connecting after a failure": given(connectionMachine, live, failed, due),
  "Connecting after four failures": given(connectionMachine, live, failed, ...again, ...again, ...again, due),
  CatchingUp: given(connectionMachine, live, opened),
  "CatchingUp to drain": given(connectionMachine, drain, opened),
  Live: given(connectionMachine, live, opened, caughtUp),
  BackingOff: given(connectionMachine, live, failed),
  CoolingDown: given(connectionMachine, ...fiveFailures),
};

const events = {
  "run.requested": live,
  "stop.requested": { type: "stop.requested", atMs: 0 },
  "process.restarted": { type: "process.restarted", atMs: 0 },
  "connection.opened": opened,
  "mailbox.caughtUp": caughtUp,
  "mailbox.progressed": progressed,
  "connection.failed": failed,
  "connection.refused": { type: "connection.refused", code: "SERVER_KEY_CHANGED", atMs: 0 },
  "package.halted": halted,
  "timer.due": due,
  "message.received": { type: "message.received", atMs: 0 },
};

const ends = {
  "stop.requested": "Stopped: closeConnection",
  "process.restarted": "Stopped",
  "connection.refused": "Stopped: closeConnection",
};
const loses = {
  ...ends,
  "connection.failed": "BackingOff: closeConnection, startTimer",
  "package.halted": "BackingOff: readNotices, startTimer",
};
const drains = {
  ...ends,
  "connection.failed": "Stopped: closeConnection",
  "package.halted": "Stopped: readNotices",
};
const waits = {
  "run.requested": "Connecting: cancelTimer, openConnection",
  "timer.due": "Connecting: openConnection",
  "stop.requested": "Stopped: cancelTimer, closeConnection",
  "process.restarted": "Stopped: cancelTimer",
};

testTable(connectionMachine, states, events, {
  Stopped: { "run.requested": "Connecting: openConnection" },
  Connecting: { ...loses, "connection.opened": "CatchingUp" },
  "Connecting to drain": { ...drains, "connection.opened": "CatchingUp" },
  "Connecting after a failure": { ...loses, "connection.opened": "CatchingUp", "mailbox.progressed": "Connecting" },
  "Connecting after four failures": {
    ...ends,
    "connection.opened": "CatchingUp",
    "mailbox.progressed": "Connecting",
    "connection.failed": "CoolingDown: closeConnection, startTimer",
    "package.halted": "CoolingDown: readNotices, startTimer",
  },
  CatchingUp: { ...loses, "mailbox.caughtUp": "Live: openStream" },
  "CatchingUp to drain": { ...drains, "mailbox.caughtUp": "Stopped: closeConnection" },
  Live: loses,
  BackingOff: waits,
  CoolingDown: waits,
});

test("waits double up to a quarter of an hour and lie between half and all of their length (mailbox.md M-21, M-22)", () => {
  const waitsMs = (jitterPermille: number) => {
    const found: number[] = [];
    let instance: Instance | undefined = given(connectionMachine, live);
    for (let count = 0; count < 10; count++) {
      const outcome = taken(step(connectionMachine, instance, { ...failed, jitterPermille, atMs: 500 }));
      const [timer] = outcome.effects.flatMap((effect) => (effect.type === "startTimer" ? [effect.params] : []));
      found.push((timer?.dueAtMs ?? 0) - 500);
      instance = taken(step(connectionMachine, outcome.next, due)).next;
    }
    return found;
  };
  expect(waitsMs(0)).toEqual([500, 1_000, 2_000, 4_000, 30_000, 60_000, 120_000, 240_000, 450_000, 450_000]);
  expect(waitsMs(999)).toEqual([999, 1_999, 3_998, 7_996, 59_970, 119_940, 239_880, 479_760, 899_550, 899_550]);
});

test("a wallet that is told to run while it waits tries at once, and with short waits again", () => {
  const { next } = taken(step(connectionMachine, states.CoolingDown, live));
  expect(next).toMatchObject({ state: "Connecting", context: { failures: 0, code: null } });
  expect(step(connectionMachine, states.CoolingDown, drain).kind).toBe("unexpected");
});

test("a message that was consumed forgets earlier failures, so the next wait is the shortest again", () => {
  const tired = given(connectionMachine, live, failed, due, failed, due, opened);
  expect(tired?.context.failures).toBe(2);
  const fresh = taken(step(connectionMachine, tired, progressed)).next;
  expect(fresh.context).toMatchObject({ failures: 0, code: null });
  expect(taken(step(connectionMachine, fresh, failed)).next.context.dueAtMs).toBe(500);
});

test("a connection that held for 30 s counts as a good one when it breaks (mailbox.md W-28)", () => {
  const worn = given(connectionMachine, live, failed, due, failed, due, opened, caughtUp);
  expect(taken(step(connectionMachine, worn, { ...failed, atMs: 29_999 })).next.context.failures).toBe(3);
  expect(taken(step(connectionMachine, worn, { ...failed, atMs: 30_000 })).next.context.failures).toBe(1);
});

test("a halt does not count as a good connection, however long it held (mailbox.md M-16)", () => {
  const worn = given(connectionMachine, live, failed, due, failed, due, opened, caughtUp);
  expect(taken(step(connectionMachine, worn, { ...halted, atMs: 90_000 })).next.context.failures).toBe(3);
});

test("a new request starts with a clean slate and remembers its mode", () => {
  const stopped = given(connectionMachine, live, failed, events["stop.requested"]);
  expect(taken(step(connectionMachine, stopped, drain)).next.context).toMatchObject({ mode: "drain", failures: 0, code: null });
});

test("a refusal names its code while stopped", () => {
  const refused = taken(step(connectionMachine, states.Live, events["connection.refused"])).next;
  expect(refused.context).toMatchObject({ code: "SERVER_KEY_CHANGED", dueAtMs: null, openedAtMs: null });
});
