import { expect, test } from "vitest";
import { setup } from "xstate";
import { effectActions } from "../../machines/effects.ts";
import { MachineError } from "../../machines/errors.ts";
import { machineNamed, machines } from "../../machines/registry.ts";
import { isFinished, type MachineDefinition, stateDigest, step } from "../../machines/step.ts";
import { taken } from "./drive.ts";

const definition = setup({
  types: { context: {} as { readonly count: number; readonly note: string | null }, events: {} as { readonly type: string } },
  actions: { ...effectActions("openStream"), inventMoney: () => {} },
  guards: {
    fails: () => {
      throw new Error("a guard's bug");
    },
  },
});
const machine: MachineDefinition = {
  name: "sample",
  revision: 1,
  events: {},
  logic: definition.createMachine({
    id: "sample",
    initial: "Idle",
    context: { count: 0, note: null },
    states: {
      Idle: {
        on: {
          counted: { actions: [definition.assign({ count: ({ context }) => context.count + 1 })] },
          asked: { actions: [{ type: "openStream", params: {} }] },
          guarded: { guard: "fails", target: "Done" },
          assigned: {
            actions: [
              definition.assign(() => {
                throw new Error("an assignment's bug");
              }),
            ],
          },
          inventive: { actions: ["inventMoney"] },
          forgetful: { actions: [definition.assign({ note: undefined as unknown as null })] },
          fractional: { actions: [definition.assign({ count: 0.5 })] },
          finished: { target: "Done" },
        },
      },
      Done: { type: "final" },
    },
  }),
};
const idle = { state: "Idle", context: { count: 3, note: null } };

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    if (error instanceof MachineError) return error.code;
    throw error;
  }
  return undefined;
};

test("an event without a transition is unexpected", () => {
  expect(step(machine, idle, { type: "unheard" })).toEqual({ kind: "unexpected" });
});

test("a transition that changes nothing but asks for something is taken", () => {
  const outcome = taken(step(machine, idle, { type: "asked" }));
  expect(outcome).toMatchObject({ next: idle, change: {}, effects: [{ type: "openStream", params: {} }] });
});

test("the outcome names only the members that changed, and the instance before stays as it was", () => {
  const outcome = taken(step(machine, idle, { type: "counted" }));
  expect(outcome.change).toEqual({ count: 4 });
  expect(idle.context.count).toBe(3);
});

test("the first step of an instance names the whole context, so that a fold of outcomes has all of it", () => {
  expect(taken(step(machine, undefined, { type: "asked" })).change).toEqual({ count: 0, note: null });
});

test("a finished instance takes nothing", () => {
  const done = taken(step(machine, idle, { type: "finished" })).next;
  expect(isFinished(machine, done.state)).toBe(true);
  expect(step(machine, done, { type: "counted" })).toEqual({ kind: "unexpected" });
});

test.each(["guarded", "assigned", "fractional", "forgetful"])(
  "a bug behind the event %s is a MACHINE_FAULT or no canonical value, never an outcome",
  (type) => {
    const noted = { ...idle, context: { ...idle.context, note: "a note" } };
    expect(["MACHINE_FAULT", "NOT_CANONICAL"]).toContain(codeOf(() => step(machine, noted, { type })));
  },
);

test("a guard that throws is a MACHINE_FAULT that carries its cause", () => {
  expect(() => step(machine, idle, { type: "guarded" })).toThrow(
    expect.objectContaining({ code: "MACHINE_FAULT", retryable: false, cause: expect.anything() }),
  );
});

test("an effect that this build does not know is refused", () => {
  expect(codeOf(() => step(machine, idle, { type: "inventive" }))).toBe("UNKNOWN_EFFECT");
});

test("a state that the machine does not have is refused", () => {
  expect(codeOf(() => step(machine, { ...idle, state: "Nowhere" }, { type: "counted" }))).toBe("UNKNOWN_STATE");
});

test("equal instances have equal digests of 16 bytes, whatever the order of their members", () => {
  const digest = stateDigest({ state: "Idle", context: { note: null, count: 3 } });
  expect(digest).toHaveLength(16);
  expect(digest).toEqual(stateDigest(idle));
  expect(digest).not.toEqual(stateDigest({ ...idle, context: { count: 4, note: null } }));
  expect(digest).not.toEqual(stateDigest({ ...idle, state: "Done" }));
});

test("every machine is found by its name, and no other", () => {
  for (const one of machines) expect(machineNamed(one.name)).toBe(one);
  expect(codeOf(() => machineNamed("teleport"))).toBe("UNKNOWN_MACHINE");
});
