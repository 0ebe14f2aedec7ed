import { fileURLToPath } from "node:url";
import { Heartwood } from "heartwood";
import { type InspectionEvent, inspectionEvents, machineDefinitions } from "heartwood/visualizer";
import { expect, test } from "vitest";
import { type AnyStateNode, createMachine } from "xstate";
import { machines } from "../../machines/registry.ts";

const GOLDEN = fileURLToPath(new URL("../vectors/golden/wallet.export", import.meta.url));

const nameOf = (part: unknown) =>
  (typeof part === "string" ? part : String(Reflect.get(part as object, "type"))).replace(/^xstate\./, "");

/** Every transition of a machine in words: from, event, guard, effects, to. */
function transitionsOf(node: AnyStateNode): string[] {
  const own = [...node.transitions].flatMap(([event, list]) =>
    list.map(({ target, guard, actions, reenter }) => {
      const asked = actions.map(nameOf);
      const guarded = guard === undefined ? "" : nameOf(guard);
      return `${node.id} ${event} [${guarded}] ${asked.join(",")} ${target?.map(({ id }) => id).join()} ${reenter === true}`;
    }),
  );
  return [node.id + (node.type === "final" ? " is final" : ""), ...own, ...Object.values(node.states).flatMap(transitionsOf)];
}

test("XState loads the exported definitions, and they have every state and transition of the machines", () => {
  const definitions = JSON.parse(JSON.stringify(machineDefinitions())) as ReturnType<typeof machineDefinitions>;
  expect(definitions.map(({ id }) => id)).toEqual(machines.map(({ name }) => name));
  for (const [index, { name, revision, logic }] of machines.entries()) {
    const definition = definitions[index];
    const loaded = createMachine(definition as object);
    expect(definition?.version).toBe(String(revision));
    expect(transitionsOf(loaded.root), name).toEqual(transitionsOf(logic.root));
    expect(loaded.root.initial?.target?.map(({ key }) => key)).toEqual(logic.root.initial?.target?.map(({ key }) => key));
  }
});

test("records become inspection events: an actor first, then its events with their snapshots, as plain JSON", async () => {
  await using history = await Heartwood.history(GOLDEN);
  const events: InspectionEvent[] = [];
  for await (const event of inspectionEvents(history)) events.push(JSON.parse(JSON.stringify(event)) as InspectionEvent);
  const { head } = history.progress;
  expect(events.filter(({ type }) => type === "@xstate.event")).toHaveLength(Number(head));
  const begun = new Map<string, string>();
  for (const event of events) {
    if (event.type === "@xstate.actor") {
      expect(JSON.parse(event.definition)).toMatchObject({ id: event.name.split("/")[0] });
      begun.set(event.sessionId, event.snapshot.value);
    } else {
      expect(begun.has(event.sessionId)).toBe(true);
    }
  }
  const last = events.findLast(({ sessionId }) => sessionId === "connection/main");
  const { view, contextAfter } = await history.record(
    (await history.find({ from: head + 1n, direction: "backward", instance: "connection/main" }))?.view.seq ?? 0n,
  );
  expect(last).toMatchObject({ type: "@xstate.snapshot", snapshot: { status: "active", value: view.state } });
  expect(last?.type === "@xstate.snapshot" && last.snapshot.context).toEqual(contextAfter);
  expect(events.some((event) => event.type === "@xstate.snapshot" && event.snapshot.status === "done")).toBe(true);
  expect(events.some((event) => event.type === "@xstate.event" && event.sourceId?.startsWith("message/"))).toBe(true);
});

/** Members of the events of `@statelyai/inspect` 0.7.2, as its types and its check of what it receives have them. */
const COMMON = ["type", "sessionId", "rootId", "createdAt", "id", "_version"];
const MEMBERS: Readonly<Record<InspectionEvent["type"], readonly string[]>> = {
  "@xstate.actor": [...COMMON, "name", "snapshot", "definition", "parentId"],
  "@xstate.event": [...COMMON, "event", "sourceId"],
  "@xstate.snapshot": [...COMMON, "event", "snapshot"],
};

test("inspection events have the members of the published format, and snapshots that their actor's definition knows", async () => {
  await using history = await Heartwood.history(GOLDEN);
  const machineOf = new Map<string, ReturnType<typeof createMachine>>();
  const ids = new Set<string>();
  for await (const event of inspectionEvents(history)) {
    expect(Object.keys(event).sort()).toEqual([...MEMBERS[event.type]].sort());
    expect([event.sessionId, event.rootId, event.createdAt, event.id].map((text) => typeof text)).toEqual(
      Array(4).fill("string"),
    );
    expect(event._version).toBe("0.7.2");
    expect(Number(event.createdAt)).toBeGreaterThan(Date.UTC(2020, 0));
    ids.add(event.id);
    if (event.type === "@xstate.actor") machineOf.set(event.sessionId, createMachine(JSON.parse(event.definition) as object));
    if (event.type === "@xstate.event") expect(["string", "undefined"]).toContain(typeof event.sourceId);
    if (event.type !== "@xstate.actor") expect(typeof event.event.type).toBe("string");
    if (event.type !== "@xstate.snapshot") continue;
    const { status, value, context } = event.snapshot;
    const machine = machineOf.get(event.sessionId);
    expect(machine?.states[value]?.type === "final" ? "done" : "active", `${event.sessionId} ${value}`).toBe(status);
    expect(machine?.resolveState({ value, context: context as object }).matches(value)).toBe(true);
  }
  expect(ids.size).toBeGreaterThan(2 * Number(history.progress.head));
});
