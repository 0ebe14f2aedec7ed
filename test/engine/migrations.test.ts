import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { WalletKeys } from "../../ark/keys.ts";
import { Heartwood, type Wallet, type WalletEvent } from "../../engine/index.ts";
import { migrationsDue } from "../../engine/migrations.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { openOnLog } from "../../engine/open-on-log.ts";
import { replay, replayed } from "../../engine/replay.ts";
import { restore } from "../../engine/restore.ts";
import { RunLoop } from "../../engine/run-loop.ts";
import { decodeTransition, type Transition } from "../../engine/transition.ts";
import { statusOf } from "../../engine/view.ts";
import { toWalletEvent } from "../../engine/wallet-event.ts";
import { CONNECTION, WalletState } from "../../engine/wallet-state.ts";
import { MIGRATED } from "../../machines/event-schemas.ts";
import { machines } from "../../machines/registry.ts";
import { type Instance, isFinished, type MachineDefinition, type Migration } from "../../machines/step.ts";
import type { Record as LogRecord } from "../../proto/generated/log.ts";
import { importLog, openLevelLog } from "../../store/index.ts";
import { goldenLogFile } from "./golden/files.ts";
import { wrapLog } from "./golden/wrapped-log.ts";
import {
  codeOfRefusal,
  eventually,
  expectBooksToBalance,
  fastOptions,
  freshDirectory,
  logOf,
  MNEMONIC,
  nextEvent,
  simulate,
} from "./helpers.ts";
import { later, migrateMessage, next } from "./later-build.ts";
import { decoded, encoded, outcome, rewritten } from "./rewritten.ts";

type Simulator = Awaited<ReturnType<typeof simulate>>;

/** A wallet whose process is killed with a halted message, one whose commands got no answer, and two held items. */
async function killedMidFlight(): Promise<{ simulator: Simulator; directory: string }> {
  const simulator = await simulate();
  const directory = await freshDirectory();
  const { directory: _, ...options } = fastOptions(simulator, directory);
  await (await Heartwood.open({ ...options, directory })).close();
  const log = await openLevelLog(directory);
  let isKilled = false;
  const append: typeof log.append = async (request) => {
    if (isKilled) throw new Error("killed");
    return log.append(request);
  };
  const wallet = await Heartwood.openOn(wrapLog(log, { append }), options);
  await wallet.sync();
  const address = await wallet.address();
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n], corrupt: [{ index: 1, how: "truncate" }] });
  await simulator.pay(address, { amountsSats: [4_000n], unconfirmedAnchor: true });
  await wallet.sync();
  simulator.faults.failNext("PostRecoveryVtxoIds", undefined, 1_000);
  await simulator.pay(address, { amountsSats: [8_000n] });
  await wallet.sync();
  simulator.chain.setFault("down");
  const waiting = nextEvent(wallet, "connection.changed", ({ state }) => state === "BackingOff");
  await simulator.pay(address, { amountsSats: [16_000n] });
  wallet.start();
  await waiting;
  isKilled = true;
  await wallet.close();
  simulator.chain.setFault(null);
  simulator.faults.clear();
  return { simulator, directory };
}

async function openAs(build: readonly MachineDefinition[], simulator: Simulator, directory: string): Promise<Wallet> {
  const log = await openLevelLog(directory);
  const { directory: _, ...options } = fastOptions(simulator, directory);
  try {
    const wallet = await openOnLog(log, WalletKeys.fromMnemonic(MNEMONIC), { ...defaultPorts, ...options.ports }, options, build);
    onTestFinished(() => wallet.close());
    return wallet;
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function stateAs(build: readonly MachineDefinition[], directory: string): Promise<WalletState> {
  await using log = await openLevelLog(directory, { readOnly: true });
  const state = new WalletState(build);
  await replay(log, state);
  return state;
}

/** Transitions from a record on, with their commits. */
async function written(
  build: readonly MachineDefinition[],
  directory: string,
  from: bigint,
): Promise<(Transition & { commit: bigint })[]> {
  await using log = await openLevelLog(directory, { readOnly: true });
  const found: (Transition & { commit: bigint })[] = [];
  for await (const { record, commit } of log.read({ from })) found.push({ ...decodeTransition(record, build), commit });
  return found;
}

test("what an older build left unfinished is migrated in the commit of the opening, once, and goes on to the right end", async () => {
  const { simulator, directory } = await killedMidFlight();
  const before = await stateAs(machines, directory);
  const old = [...before.instances].filter(([, { machine }]) => ["message", "quarantined", "connection"].includes(machine));
  expect(old.map(([, { machine, state }]) => `${machine} ${state}`).sort()).toEqual([
    "connection BackingOff",
    "message Applied",
    "message Halted",
    "quarantined Held",
    "quarantined Held",
  ]);
  const openCommands = [...before.outbox.keys()];
  expect(openCommands).toHaveLength(2);

  const wallet = await openAs(later, simulator, directory);
  expect(wallet.status()).toMatchObject({ counters: { ...before.counters }, balance: { totalSats: 9_000n } });
  await wallet.close();
  const records = await written(later, directory, before.seq + 1n);
  const migrated = records.filter(({ event }) => event.type === MIGRATED);
  expect(migrated.map(({ instance }) => instance).sort()).toEqual(old.map(([name]) => name).sort());
  expect(
    new Set([...migrated, ...records.filter(({ event }) => event.type === "wallet.opened")].map(({ commit }) => commit)).size,
  ).toBe(1);
  for (const { instance, revision, version, event, effects, change } of migrated) {
    const was = before.instances.get(instance);
    expect({ revision, version, event, effects }).toEqual({
      revision: 2,
      version: (was?.version ?? 0n) + 1n,
      event: { type: MIGRATED, fromRevision: 1 },
      effects: [],
    });
    if (instance.startsWith("message/")) expect(change).toEqual({ ...omit(was?.context, "haltCode"), seen: 2n });
  }
  const after = await stateAs(later, directory);
  expect([...after.outbox.keys()], "the timer ends with the process, the server's command stays").toEqual(
    openCommands.filter((id) => before.outbox.get(id)?.effect.type === "postRecoveryIds"),
  );

  const again = await openAs(later, simulator, directory);
  const events: WalletEvent[] = [];
  again.events$.subscribe({ next: (event) => void events.push(event) });
  simulator.mine();
  await again.sync();
  await eventually(() => again.status().openCommands === 0, "every result");
  const status = again.status();
  expect(status.balance).toMatchObject({ totalSats: 29_000n, spendableSats: 29_000n });
  expect(events.filter(({ type }) => type === "payment.received")).toHaveLength(2);
  expectBooksToBalance(status);
  await again.close();
  const all = await written(later, directory, 1n);
  expect(all.filter(({ event }) => event.type === MIGRATED)).toHaveLength(migrated.length);
  const end = await stateAs(later, directory);
  expect(statusOf(end)).toEqual(status.connection === "Stopped" ? status : { ...status, connection: "Stopped" });
  expect([...end.instances.values()].filter(({ machine }) => machine === "message")).toEqual([]);
}, 60_000);

function omit(context: object = {}, name: string): object {
  return Object.fromEntries(Object.entries(context).filter(([member]) => member !== name));
}

test("a migration is neither a halt nor an event, and an older build refuses the log from then on", async () => {
  const { simulator, directory } = await killedMidFlight();
  const before = await Heartwood.read(directory);
  const same: Partial<MachineDefinition> = { migrations: { 1: (instance) => instance } };
  const build = next({ message: same, quarantined: same, mailbox: same, wallet: same });
  await (await openAs(build, simulator, directory)).close();
  const records = await written(build, directory, before.records + 1n);
  expect(statusOf(await stateAs(build, directory))).toEqual({
    ...before,
    connection: "Stopped",
    openCommands: 1,
    records: before.records + BigInt(records.length),
    epoch: before.epoch + 1n,
  });
  const events = records.map(toWalletEvent).filter((event) => event !== undefined);
  expect(events.map(({ type }) => type)).toEqual(["wallet.opened", "connection.changed"]);
  const { seq } = await logOf(directory);
  expect(await codeOfRefusal(Heartwood.open(fastOptions(simulator, directory)))).toBe("LOG_UNREADABLE");
  expect(await codeOfRefusal(Heartwood.read(directory))).toBe("LOG_UNREADABLE");
  expect((await logOf(directory)).seq).toBe(seq);
}, 60_000);

test("a migration to the same state and context changes nothing that a wallet says, wherever in its life it comes", async () => {
  const directory = await freshDirectory();
  await importLog(fileURLToPath(goldenLogFile), directory);
  await using log = await openLevelLog(directory, { readOnly: true });
  const unwritten = wrapLog(log, { append: async () => ({ commit: 1n }) });
  const listener = { onCommitted() {}, onFailed() {} };
  const build = machines.map((machine) => ({ ...machine, revision: 2, migrations: { 1: (instance: Instance) => instance } }));
  const state = new WalletState(build);
  let checked = 0;
  for await (const { seq } of replayed(log, state)) {
    const committed = state.clone();
    const loop = new RunLoop({ log: unwritten, committed, listener, ...defaultPorts });
    const migrations = migrationsDue(state);
    await loop.dispatch(...migrations).committed;
    const records = seq + BigInt(migrations.length);
    expect(statusOf(committed), `after record ${seq}`).toEqual({ ...statusOf(state), records });
    expect(committed.outbox, `after record ${seq}`).toEqual(state.outbox);
    expect(committed.undecidedMessages()).toEqual(state.undecidedMessages());
    checked += migrations.length;
  }
  expect(checked).toBeGreaterThan(0);
});

test("a build that cannot go on with what is unfinished refuses it before it writes anything, and still shows it", async () => {
  const { simulator, directory } = await killedMidFlight();
  const { seq } = await logOf(directory);
  const fails: Migration = () => {
    throw new Error("a bug");
  };
  const lost: Migration = ({ context }) => ({ state: "Nowhere", context });
  const builds: [string, MachineDefinition[], RegExp][] = [
    ["no migration", next({ message: {} }), /expected a migration of message from revision 1 to 2, got none/],
    ["a gap", next({ message: { revision: 3, migrations: { 1: migrateMessage } } }), /from revision 2 to 3, got none/],
    ["a bug", next({ message: { migrations: { 1: fails } } }), /message cannot be migrated from revision 1/],
    ["no state", next({ message: { migrations: { 1: lost } } }), /expected a state of message, got Nowhere/],
  ];
  for (const [what, build, why] of builds) {
    const refusal = openAs(build, simulator, directory);
    await expect(refusal, what).rejects.toMatchObject({ code: "MIGRATION_FAILED", message: expect.stringMatching(why) });
    expect((await logOf(directory)).seq, what).toBe(seq);
    expect(statusOf(await stateAs(build, directory)), what).toEqual(await Heartwood.read(directory));
  }
}, 60_000);

test("until it is migrated, no event of an older instance reaches newer code", async () => {
  const { directory } = await killedMidFlight();
  await using log = await openLevelLog(directory);
  const { state } = await restore(log, {}, later);
  const listener = { onCommitted() {}, onFailed() {} };
  const loop = new RunLoop({ log, committed: state, listener, clock: defaultPorts.clock, randomness: defaultPorts.randomness });
  const { seq } = log.head();
  expect(() => loop.dispatch({ instance: CONNECTION, event: { type: "process.restarted" } })).toThrow(
    expect.objectContaining({
      code: "WALLET_FAILED",
      cause: expect.objectContaining({ message: expect.stringMatching(/not migrated/) }),
    }),
  );
  expect(log.head().seq).toBe(seq);
}, 60_000);

test("a replay runs migrations of today's revision again, and folds those of an older one", async () => {
  const { simulator, directory } = await killedMidFlight();
  await (await openAs(later, simulator, directory)).close();
  const replayAs = async (
    build: readonly MachineDefinition[],
    change: (record: LogRecord) => LogRecord | undefined = (r) => r,
  ) => {
    const state = new WalletState(build);
    await replay(await rewritten(directory, change), state);
    return state;
  };
  const migrations = (change: (record: LogRecord) => LogRecord | undefined) => (record: LogRecord) =>
    record.type === MIGRATED && record.machine === "message" ? change(record) : record;
  const forge = outcome((was) => ({
    ...was,
    contextChange: encoded(decoded(was.contextChange).replace('{"$n":"2"}', '{"$n":"3"}')),
  }));
  const from = (revision: number) => (record: LogRecord) => ({ ...record, event: encoded(`{"fromRevision":${revision}}`) });

  const otherwise: Migration = (instance) => ({ ...migrateMessage(instance), state: "Vetting" });
  const changed = next({ message: { revision: 2, migrations: { 1: otherwise } } }, later);
  expect(await codeOfRefusal(replayAs(changed)), "a migration that changed").toBe("LOG_MISMATCH");
  const further = next({ message: { migrations: { 1: otherwise, 2: (instance) => instance } } }, later);
  const folded = await replayAs(further);
  expect(folded.instances).toEqual((await replayAs(later)).instances);
  expect(await codeOfRefusal(replayAs(later, migrations(forge))), "another context").toBe("LOG_MISMATCH");
  expect(await codeOfRefusal(replayAs(further, migrations(forge))), "another context, folded").toBe("LOG_MISMATCH");
  for (const revision of [0, 2, 3]) {
    expect(await codeOfRefusal(replayAs(further, migrations(from(revision)))), `from ${revision}`).toBe("LOG_MISMATCH");
  }
  const missing = (record: LogRecord) => (record.type === MIGRATED && record.machine === "connection" ? undefined : record);
  const renumbered = (record: LogRecord) => {
    const kept = missing(record);
    const isAfter = record.type === "process.restarted" && record.revision === 2;
    return kept !== undefined && isAfter ? { ...kept, version: kept.version - 1n } : kept;
  };
  expect(await codeOfRefusal(replayAs(later, renumbered)), "none").toBe("LOG_MISMATCH");
}, 60_000);

test("a state of an earlier revision is known to records of that revision only", () => {
  const connection = later.find(({ name }) => name === "connection") as MachineDefinition;
  const ended: MachineDefinition = { ...connection, retiredStates: { Gone: "finished", BackingOff: "unfinished" } };
  expect([isFinished(ended, "Gone", 1), isFinished(ended, "BackingOff", 1), isFinished(ended, "Live", 1)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(() => isFinished(ended, "BackingOff")).toThrow(expect.objectContaining({ code: "UNKNOWN_STATE" }));
});

test("every machine with a raised revision can go on with what each earlier one left unfinished", () => {
  for (const { name, revision, migrations = {} } of machines) {
    const earlier = Array.from({ length: revision - 1 }, (_, index) => String(index + 1));
    expect(Object.keys(migrations), name).toEqual(earlier);
  }
});
