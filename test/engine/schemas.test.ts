import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { HeartwoodError } from "../../engine/index.ts";
import { replay } from "../../engine/replay.ts";
import { decodeTransition } from "../../engine/transition.ts";
import { statusOf } from "../../engine/view.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { encodeCanonical } from "../../machines/canonical.ts";
import { type EventMembers, type EventSchemas, schemaOf } from "../../machines/event-schemas.ts";
import { machines } from "../../machines/registry.ts";
import type { MachineDefinition } from "../../machines/step.ts";
import { Record as LogRecord } from "../../proto/generated/log.ts";
import { importLog } from "../../store/index.ts";
import { goldenLogFile, readGoldenEvents } from "./golden/files.ts";
import { freshDirectory } from "./helpers.ts";
import { decoded, encoded, first, outcome, rewritten } from "./rewritten.ts";

async function goldenDirectory(): Promise<string> {
  const directory = await freshDirectory();
  await importLog(fileURLToPath(goldenLogFile), directory);
  return directory;
}

/** As if `package.undecided` had once said only a reason, then a code, and since then a message too. */
const later: EventSchemas = {
  "package.undecided": [({ reason = "" }) => ({ code: reason }), (members) => ({ ...members, message: "not recorded" })],
};
const laterMachines: readonly MachineDefinition[] = machines.map((machine) =>
  machine.name === "message" ? { ...machine, events: { ...machine.events, ...later } } : machine,
);

/** A record of the golden log as if it had been written in that schema. */
function undecidedIn(schema: number, members: EventMembers): LogRecord {
  const fixture = readGoldenEvents().find(({ type }) => type === "package.undecided");
  if (fixture === undefined) throw new Error("expected a package.undecided among the golden events");
  return { ...LogRecord.decode(fixture.body), schema, event: encoded(encodeCanonical(members)) };
}

test("an event type's schema is one more than its upcasters, each type by itself", () => {
  const { events } = laterMachines.find(({ name }) => name === "message") as MachineDefinition;
  expect(schemaOf(events, "package.undecided")).toBe(3);
  expect(schemaOf(events, "package.vetted")).toBe(1);
});

test("every event that a machine takes stands in its table of schemas", () => {
  for (const { name, logic, events } of machines) expect(Object.keys(events).sort(), name).toEqual(logic.events.toSorted());
});

test("records of schema 1, 2 and 3 are read to the same event, and each says in which it was recorded", () => {
  const event = { type: "package.undecided", code: "CHAIN_TIMEOUT", message: "not recorded" };
  const records = [
    undecidedIn(1, { reason: "CHAIN_TIMEOUT" }),
    undecidedIn(2, { code: "CHAIN_TIMEOUT" }),
    undecidedIn(3, { code: "CHAIN_TIMEOUT", message: "not recorded" }),
  ];
  const read = records.map((record) => decodeTransition(record, laterMachines));
  expect(read.map((transition) => transition.event)).toEqual([event, event, event]);
  expect(read.map(({ schema }) => schema)).toEqual([1, 2, 3]);
});

test("an upcast event is folded by its outcome and not taken again, and its digest is still compared", async () => {
  const directory = await goldenDirectory();
  const undecided = (schema: number, event: string) => (record: LogRecord) =>
    record.type === "package.undecided" ? { ...record, schema, event: encoded(event) } : record;
  const replayed = async (change: (record: LogRecord) => LogRecord): Promise<WalletState> => {
    const state = new WalletState(laterMachines);
    await replay(await rewritten(directory, change), state);
    return state;
  };
  const today = await replayed((record) => (record.type === "package.undecided" ? { ...record, schema: 3 } : record));
  // Another reason than the one of which the outcome tells: the machine would come to another state.
  const older = undecided(1, '{"reason":"OTHER"}');
  const state = await replayed(older);
  expect(statusOf(state)).toEqual(statusOf(today));
  expect(state.instances).toEqual(today.instances);
  await expect(replayed(undecided(3, '{"code":"OTHER","message":""}'))).rejects.toThrow(/the machine comes to another state/);

  const forged = outcome((was) => ({ ...was, contextChange: encoded(decoded(was.contextChange).replace("CHAIN_", "OTHER_")) }));
  const once = first("package.undecided", forged);
  await expect(replayed((record) => once(older(record)))).rejects.toThrow(/the fold comes to another state/);
});

const strangers: readonly [string, (record: LogRecord) => LogRecord, RegExp][] = [
  ["an unknown machine", (record) => ({ ...record, machine: "round" }), /expected a machine of this build, got round/],
  ["a machine named like a member of every object", (record) => ({ ...record, machine: "toString" }), /got toString/],
  ["an unknown event", (record) => ({ ...record, type: "package.weighed" }), /event of this build, got package.weighed/],
  ["an event named like a member of every object", (record) => ({ ...record, type: "constructor" }), /got constructor/],
  ["another machine's event", (record) => ({ ...record, type: "item.held" }), /got item.held/],
  ["a later schema", (record) => ({ ...record, schema: 2 }), /expected schema 1 to 1 of package.vetted, got 2/],
  ["no schema", (record) => ({ ...record, schema: 0 }), /expected schema 1 to 1 of package.vetted, got 0/],
  ["a later revision", (record) => ({ ...record, revision: 2 }), /expected at most revision 1 of message, got 2/],
  ["an unknown state", outcome((was) => ({ ...was, state: "Pondering" })), /expected a machine and a state of this build/],
  [
    "an unknown effect",
    outcome((was) => ({ ...was, effects: was.effects.map((effect) => ({ ...effect, type: "buyIcecream" })) })),
    /expected an effect of this build, got buyIcecream/,
  ],
];

test.each(strangers)("%s is refused with its place and the advice to upgrade, never skipped", async (_, change, message) => {
  const directory = await goldenDirectory();
  let seq = 0n;
  const log = await rewritten(
    directory,
    first("package.vetted", (record) => {
      seq = record.seq;
      return change(record);
    }),
  );
  const refusal: unknown = await replay(log, new WalletState()).catch((error: unknown) => error);
  if (!(refusal instanceof HeartwoodError)) throw refusal;
  expect([refusal.code, refusal.place]).toEqual(["LOG_UNREADABLE", { seq }]);
  expect(refusal.message).toMatch(message);
  expect(refusal.message).toMatch(new RegExp(`^record ${seq}.*; upgrade$`));
});
