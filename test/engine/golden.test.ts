import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { Heartwood, HeartwoodError } from "../../engine/index.ts";
import { replay } from "../../engine/replay.ts";
import { STATE_FORMAT } from "../../engine/state-snapshot.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { machineNamed, machines } from "../../machines/registry.ts";
import { Record as LogRecord } from "../../proto/generated/log.ts";
import { type EventLog, importLog, openLevelLog, type StoredRecord } from "../../store/index.ts";
import { eventComplaints, fixturesOf, readableSchemas, readFixture, schemaName } from "./golden/events.ts";
import {
  goldenLogFile,
  readGoldenEvents,
  readGoldenLog,
  readGoldenRecords,
  readGoldenState,
  readGoldenStatus,
  readGoldenWalks,
  recordText,
  stateText,
  statusText,
  writeGoldenEvents,
  writeGoldenLog,
  writeGoldenRecords,
  writeGoldenState,
  writeGoldenStatus,
  writeGoldenWalks,
} from "./golden/files.ts";
import { liveGoldenLife } from "./golden/life.ts";
import { changedMachine, recordWalks, walkComplaints } from "./golden/walks.ts";
import { wrapLog } from "./golden/wrapped-log.ts";
import { freshDirectory } from "./helpers.ts";

const REGENERATE = "if that is meant, run scripts/golden-log.mjs and commit what it wrote";

/** The life, lived once for all tests. */
let life: string;

beforeAll(async () => {
  life = await liveGoldenLife();
}, 120_000);

const { HEARTWOOD_GOLDEN: how } = process.env;
if (how !== undefined) {
  // What scripts/golden-log.mjs is for; the tests below then look at what was written.
  test("the golden files are made anew", async () => {
    const bodies = await bodiesOf(await importedLife());
    const isFree = how === "write-same-revision" || !existsSync(goldenLogFile);
    const complaints = isFree ? [] : await changes(bodies);
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
    writeGoldenWalks(recordWalks());
    writeGoldenEvents(fixturesOf(bodies, readGoldenEvents()));
    writeGoldenLog(life);
    writeGoldenState(await goldenState());
    const directory = await importedGolden();
    writeGoldenStatus(statusText(await Heartwood.read(directory)));
    writeGoldenRecords(await recordTexts(directory));
  });
}

/** What changed without what must be raised with it. */
async function changes(bodies: readonly Uint8Array[]): Promise<string[]> {
  const complaints = [...walkComplaints(readGoldenWalks()), ...eventComplaints(readGoldenEvents(), bodies)];
  // A machine that changed does not come to a state.
  const ofState = complaints.length > 0 ? undefined : stateComplaint(await goldenState());
  return ofState === undefined ? complaints : [...complaints, ofState];
}

async function importedGolden(): Promise<string> {
  const directory = await freshDirectory();
  await importLog(fileURLToPath(goldenLogFile), directory);
  return directory;
}

async function importedLife(): Promise<string> {
  const directory = await freshDirectory();
  const file = `${directory}.export`;
  await writeFile(file, life);
  await importLog(file, directory);
  return directory;
}

async function bodiesOf(directory: string): Promise<Uint8Array[]> {
  await using log = await openLevelLog(directory, { readOnly: true });
  const bodies: Uint8Array[] = [];
  for await (const { body } of log.read()) bodies.push(body);
  return bodies;
}

async function recordTexts(directory: string): Promise<string> {
  const texts: string[] = [];
  for await (const record of Heartwood.records(directory)) texts.push(recordText(record));
  return texts.join("");
}

test("every machine takes the steps of the golden walks as it did when they were recorded", () => {
  expect(walkComplaints(readGoldenWalks()).join("\n")).toBe("");
});

test("the golden walks are those of today's machines and samples", () => {
  expect(recordWalks(), REGENERATE).toEqual(readGoldenWalks());
});

test("a machine that changed without a raised revision is named, and one with a raised revision is not", () => {
  const { logic, ...wallet } = machineNamed("wallet");
  const planted = { ...wallet, logic: logic.provide({ guards: { isOtherPlace: () => true } }) };
  const among = (machine: typeof planted) => machines.map((other) => (other.name === "wallet" ? machine : other));
  const [complaint, ...others] = walkComplaints(readGoldenWalks(), among(planted));
  expect(complaint).toContain("machine wallet changed without a raised revision: raise the revision of wallet");
  expect(complaint).toContain("wallet.configured in Unpinned: expected nothing, got ");
  expect(others).toEqual([]);
  expect(walkComplaints(readGoldenWalks(), among({ ...planted, revision: wallet.revision + 1 }))).toEqual([]);
});

test("the golden log replays step by step to the state that it led to when it was recorded", async () => {
  const directory = await importedGolden();
  expect(statusText(await Heartwood.read(directory).catch(explain))).toBe(readGoldenStatus());
  const { head, borne } = await Heartwood.verify(directory);
  expect([String(head.seq), borne]).toEqual([JSON.parse(readGoldenStatus()).records, []]);
});

/** What to do about a machine that takes a step of the golden log otherwise. */
async function explain(error: unknown): Promise<never> {
  if (!(error instanceof HeartwoodError) || error.code !== "LOG_MISMATCH") throw error;
  const [, name = ""] = /^record \d+ \(([a-z-]+)\//.exec(error.message) ?? [];
  throw new Error(`${changedMachine(name)} (${error.message})`, { cause: error });
}

test("the state of the golden log, as a snapshot holds it, is what it was when it was recorded", async () => {
  expect(stateComplaint(await goldenState())).toBeUndefined();
  expect(await goldenState(), REGENERATE).toBe(readGoldenState());
});

test("a fold that changed without a raised form of its state is named, and one with a raised form is not", async () => {
  const state = await goldenState();
  const changed = state.replace('"nextKeyIndex":', '"nextKeyIndex":1');
  expect(stateComplaint(changed)).toContain("raise STATE_FORMAT in engine/state-snapshot.ts");
  expect(stateComplaint(changed.replace(`"format":${STATE_FORMAT}`, `"format":${STATE_FORMAT + 1}`))).toBeUndefined();
});

/** The state that the golden log comes to, as text. */
async function goldenState(): Promise<string> {
  await using log = await openLevelLog(await importedGolden(), { readOnly: true });
  const state = new WalletState();
  await replay(log, state);
  return stateText(state);
}

/** What is wrong with a state of the golden log that is not the recorded one; undefined if nothing. */
function stateComplaint(state: string): string | undefined {
  const formatOf = (text: string) => /"format":(\d+)/.exec(text)?.[1];
  const recorded = readGoldenState();
  if (state === recorded || formatOf(state) !== formatOf(recorded)) return undefined;
  return "the fold of the same records gives another state: raise STATE_FORMAT in engine/state-snapshot.ts, or old snapshots are trusted";
}

test("the records of the golden log are shown as they were when it was recorded", async () => {
  expect(await recordTexts(await importedGolden())).toBe(readGoldenRecords());
});

test("a step of the golden log that comes out otherwise is told as a machine that changed", async () => {
  await using log = await openLevelLog(await importedGolden(), { readOnly: true });
  const changed = wrapLog(log, { read: () => otherDigest(log) });
  await expect(replay(changed, new WalletState()).catch(explain)).rejects.toThrow(
    /^machine message changed without a raised revision: raise .* \(record \d+ \(message\//,
  );
});

/** The records of a log, as if the first package had been vetted by another machine. */
async function* otherDigest(log: EventLog): AsyncGenerator<StoredRecord, void, undefined> {
  for await (const stored of log.read()) {
    const { record } = stored;
    const isVetted = record.type === "package.vetted" && record.outcome !== undefined;
    yield isVetted && record.outcome !== undefined
      ? { ...stored, record: { ...record, outcome: { ...record.outcome, stateDigest: new Uint8Array(16) } } }
      : stored;
  }
}

test("the life of the golden log, lived again, writes the same log to the byte", async () => {
  // In words first, so that a failure can be read.
  expect(await recordTexts(await importedLife()), REGENERATE).toBe(readGoldenRecords());
  expect(life === readGoldenLog(), `expected the golden log, got another; ${REGENERATE}`).toBe(true);
});

test("there is a golden record of each event type in each schema, and each is read to today's event", () => {
  const fixtures = readGoldenEvents();
  expect(fixtures.map(schemaName), REGENERATE).toEqual(readableSchemas());
  for (const fixture of fixtures) expect(readFixture(fixture), schemaName(fixture)).toEqual(fixture.event);
});

test("the golden log's events have the members of the golden events", async () => {
  expect(eventComplaints(readGoldenEvents(), await bodiesOf(await importedGolden())).join("\n")).toBe("");
});

test("an event that changed without a raised schema is named", () => {
  const fixtures = readGoldenEvents();
  const found = fixtures.find(({ type }) => type === "address.issued");
  if (found === undefined) throw new Error("expected an address.issued among the golden events");
  const change = (was: string | RegExp, is: string): Uint8Array => {
    const record = LogRecord.decode(found.body);
    const event = new TextEncoder().encode(new TextDecoder().decode(record.event).replace(was, is));
    return LogRecord.encode({ ...record, event }).finish();
  };
  expect(eventComplaints(fixtures, [change(/\d+/, "77")])).toEqual([]);
  for (const changed of [change("keyIndex", "key"), change(/\d+/, '"77"')]) {
    expect(eventComplaints(fixtures, [changed])).toEqual([
      expect.stringMatching(/^event address.issued of wallet changed without a raised schema \(expected {keyIndex: number}, got/),
    ]);
  }
});

test("the golden log holds a record of every machine and of every kind of trouble", async () => {
  await using log = await openLevelLog(await importedGolden(), { readOnly: true });
  const kinds = new Set<string>();
  for await (const { record } of log.read()) kinds.add(`${record.machine} ${record.type} ${record.outcome?.state}`);
  expect([...kinds].sort()).toMatchInlineSnapshot(`
    [
      "anchors anchors.seen Watching",
      "arkoor-send deadline.checked Failed",
      "arkoor-send delivery.failed Delivering",
      "arkoor-send package.cosigned Registering",
      "arkoor-send package.delivered Delivered",
      "arkoor-send package.refused Failed",
      "arkoor-send package.registered Delivering",
      "arkoor-send payment.requested Cosigning",
      "backup backup.checked Watching",
      "backup backup.requested Watching",
      "backup recoveryIds.posted Watching",
      "connection connection.failed BackingOff",
      "connection connection.opened CatchingUp",
      "connection connection.refused Stopped",
      "connection mailbox.caughtUp Live",
      "connection mailbox.caughtUp Stopped",
      "connection mailbox.progressed CatchingUp",
      "connection package.halted BackingOff",
      "connection package.halted Stopped",
      "connection process.restarted Stopped",
      "connection run.requested Connecting",
      "connection stop.requested Stopped",
      "connection timer.due Connecting",
      "drive drive.finished Watching",
      "exit exit.ended Ended",
      "expiry tip.seen Watching",
      "lightning-receive cancel.requested Cancelling",
      "lightning-receive claim.succeeded Claimed",
      "lightning-receive claim.succeeded Delivering",
      "lightning-receive deadline.checked PreimageRevealed",
      "lightning-receive delivery.failed Delivering",
      "lightning-receive giveUp.requested GivenUp",
      "lightning-receive grant.accepted HtlcsReady",
      "lightning-receive grant.failed Failed",
      "lightning-receive invoice.expired Expired",
      "lightning-receive invoice.issued AwaitingPayment",
      "lightning-receive invoice.refused Failed",
      "lightning-receive invoice.requested Requesting",
      "lightning-receive package.delivered Delivered",
      "lightning-receive receive.cancelled Cancelled",
      "lightning-receive recoveryIds.posted Completed",
      "lightning-receive reveal.vetted PreimageRevealed",
      "lightning-receive step.delayed PreimageRevealed",
      "lightning-send deadline.checked Exiting",
      "lightning-send exit.allowed PaymentInitiated",
      "lightning-send giveUp.requested GivenUp",
      "lightning-send htlcs.revoked Revoked",
      "lightning-send inputs.checked Failed",
      "lightning-send package.cosigned HtlcReceived",
      "lightning-send package.refused Recovering",
      "lightning-send payment.failed RevocableHtlcs",
      "lightning-send payment.initiated PaymentInitiated",
      "lightning-send payment.noticed Settled",
      "lightning-send payment.pending RevocableHtlcs",
      "lightning-send payment.refused RevocableHtlcs",
      "lightning-send payment.requested Start",
      "lightning-send payment.restored RevocableHtlcs",
      "lightning-send preimage.learned Settled",
      "lightning-send step.delayed Exiting",
      "lightning-send step.delayed RevocationStuck",
      "mailbox message.consumed Following",
      "mailbox package.halted Halted",
      "message message.received Ignored",
      "message message.received Kept",
      "message message.received Vetting",
      "message message.redelivered Vetting",
      "message package.poisoned Halted",
      "message package.undecided Halted",
      "message package.vetted Applied",
      "message package.vetted Ignored",
      "message recoveryIds.posted Completed",
      "message vtxos.registered Applied",
      "quarantined item.held Held",
      "quarantined item.vetted Dropped",
      "quarantined item.vetted Held",
      "quarantined item.vetted Released",
      "quarantined recoveryIds.posted Completed",
      "quarantined vtxos.registered Released",
      "recovery recovery.keysFound Restoring",
      "recovery recovery.requested Restoring",
      "recovery recovery.scanned Restored",
      "salvage vtxos.checked Reconciling",
      "salvage wallet.reconciled Reconciled",
      "salvage wallet.salvaged Reconciling",
      "wallet address.issued Pinned",
      "wallet server.pinned Pinned",
      "wallet wallet.configured Pinned",
      "wallet wallet.created Unpinned",
      "wallet wallet.opened Pinned",
      "wallet wallet.opened Unpinned",
    ]
  `);
});
