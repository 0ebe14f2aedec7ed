import { expect, test } from "vitest";
import { fill } from "../../bench/fill.ts";
import { explain } from "../../engine/explain.ts";
import { History as HistoryOf } from "../../engine/history.ts";
import { Heartwood, type History, type HistoryMoment } from "../../engine/index.ts";
import { replayed } from "../../engine/replay.ts";
import { transitionsOf } from "../../engine/transitions-of.ts";
import { statusOf, type WalletStatus } from "../../engine/view.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { Record as LogRecord } from "../../proto/generated/log.ts";
import { createMemoryLog, type EventLog, openExport } from "../../store/index.ts";
import { GOLDEN, goldenWith } from "./golden/golden-with.ts";
import { eventually, goLive, openWallet, setUp } from "./helpers.ts";

const byKey = (key: string) => (a: object, b: object) => (String(Reflect.get(a, key)) < String(Reflect.get(b, key)) ? -1 : 1);

/** What a moment says in the words of the status. */
function statusIn({ balance, checkpoint, connection, counters, halted, tables }: HistoryMoment) {
  return {
    balance,
    checkpoint,
    connection,
    counters,
    halted,
    vtxos: tables.coins.rows.toSorted(byKey("id")),
    movements: tables.movements.rows.toSorted(byKey("id")),
    quarantine: tables.quarantine.rows.toSorted(byKey("key")),
    openCommands: tables.outbox.total,
  };
}

function sorted(status: WalletStatus) {
  const { balance, checkpoint, connection, counters, halted, openCommands } = status;
  return {
    ...{ balance, checkpoint, connection, counters, halted, openCommands },
    vtxos: status.vtxos.toSorted(byKey("id")),
    movements: status.movements.toSorted(byKey("id")),
    quarantine: status.quarantine.toSorted(byKey("key")),
  };
}

/** A history of a log that does not grow. */
const historyOf = (log: EventLog): History =>
  HistoryOf.of({
    log: () => log,
    isLive: false,
    isShared: false,
    grown: async () => false,
    [Symbol.asyncDispose]: () => log.close(),
  });

/** A moment with all rows of its tables. */
async function wholeMoment(history: History, seq: bigint): Promise<HistoryMoment> {
  const moment = await history.moment(seq);
  const whole = async <Name extends keyof HistoryMoment["tables"]>(name: Name) => {
    const { total } = moment.tables[name];
    return history.rows(name, seq, Math.max(1, total));
  };
  const [instances, coins] = [await whole("instances"), await whole("coins")];
  const [movements, quarantine, outbox] = [await whole("movements"), await whole("quarantine"), await whole("outbox")];
  return { ...moment, tables: { instances, coins, movements, quarantine, outbox } };
}

test("every moment of the golden log is what a fold up to it comes to, and every record is what re-execution gives", async () => {
  await using history = await Heartwood.history(GOLDEN);
  await history.read();
  await using log = await openExport(GOLDEN);
  const state = new WalletState();
  for await (const transition of replayed(log, state)) {
    const { seq, instance } = transition;
    const before = await history.record(seq);
    expect(before.verdict).not.toBe("differs");
    expect(before.contextAfter).toEqual(state.instances.get(instance)?.context ?? before.contextAfter);
    if (seq % 3n !== 0n && seq < history.progress.head - 20n) continue;
    const moment = await wholeMoment(history, seq);
    expect(statusIn(moment), `at record ${seq}`).toEqual(sorted(statusOf(state)));
    const unfinished = moment.tables.instances.rows.filter(({ isFinished }) => !isFinished);
    expect(unfinished.map((row) => `${row.instance} ${row.state}`).sort()).toEqual(
      [...state.instances].map(([name, found]) => `${name} ${found.state}`).sort(),
    );
    const standing = Object.values(moment.states).flatMap((states) => Object.values(states));
    expect(standing.reduce((sum, count) => sum + count, 0)).toBe(moment.tables.instances.total);
  }
  expect(history.progress).toMatchObject({ differingCount: 0, failure: null, isLive: false });
});

test("explaining out of the index tells the same story as reading the whole log", async () => {
  await using history = await Heartwood.history(GOLDEN);
  await history.read();
  const head = history.progress.head;
  const ids = new Set<string>();
  for (let seq = 1n; seq <= head; seq++) for (const { id } of (await history.record(seq)).mentions) ids.add(id);
  expect(ids.size).toBeGreaterThan(20);
  await using log = await openExport(GOLDEN);
  for (const id of [...ids].slice(0, 30)) {
    expect(await history.explain(id), id).toEqual(await explain(() => transitionsOf(log), id));
  }
  const cut = [...ids].find((id) => /^[0-9a-f]{64}:/.test(id)) ?? "";
  expect((await history.explain(cut.slice(0, 12))).id).toBe(cut);
  await expect(history.explain("12345")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("jumps find the nearest halt, instance and type, and a path is the way of one instance", async () => {
  await using history = await Heartwood.history(GOLDEN);
  await history.read();
  const head = history.progress.head;
  const halt = await history.find({ from: head, direction: "backward", mark: "halt" });
  expect(halt?.view.type).toMatch(/^package\.(undecided|poisoned)$/);
  const { instance = "", seq = 0n } = halt?.view ?? {};
  const { steps } = await history.path(instance, head);
  expect(steps.map(({ view }) => view.instance)).toEqual(steps.map(() => instance));
  expect(steps.map(({ before }) => before).slice(1)).toEqual(steps.map(({ view }) => view.state).slice(0, -1));
  const next = await history.find({ from: seq, direction: "forward", instance });
  expect(next?.view.version).toBe((halt?.view.version ?? 0n) + 1n);
  expect((await history.record(seq)).next).toBe(next?.view.seq);
  expect(await history.find({ from: head, direction: "forward", mark: "halt" })).toBeUndefined();
  expect((await history.find({ from: 0n, direction: "forward", type: "wallet.opened" }))?.view.machine).toBe("wallet");
});

test("the series ends at the end, counts every mark once, and the context of a long-lived instance is exact", async () => {
  const memory = createMemoryLog();
  const log = await memory.open();
  const state = await fill(log, { records: 1_200, packages: 40, vtxosPerPackage: 2 });
  await using history = historyOf(log);
  await history.read();
  const head = history.progress.head;
  expect(head).toBe(state.seq);
  const points = history.series(1n, head, 50);
  expect(points).toHaveLength(50);
  expect(points.at(-1)).toMatchObject({ seq: head, totalSats: 80_000n, checkpoint: state.checkpoint });
  expect(points.reduce((sum, { marks }) => sum + (marks.received ?? 0), 0)).toBe(40);
  const last = await history.find({ from: head + 1n, direction: "backward", machine: "connection" });
  const detail = await history.record(last?.view.seq ?? 0n);
  expect(detail.view.version).toBeGreaterThan(300n);
  expect(detail.contextAfter).toEqual(state.contextOf("connection/main"));
  const [first] = (await history.rows("coins", head, 30)).rows;
  const page = await history.rows("coins", head, 30, (await history.rows("coins", head, 30)).next ?? "");
  expect(page.total).toBe(80);
  expect(page.rows).toHaveLength(30);
  expect(page.rows.map(({ id }) => id)).not.toContain(first?.id);
});

test("a step is taken again when it is looked at, before the turn of those in front of it, and all of them in the end", async () => {
  const wrong = 40n;
  const wrongState = (record: LogRecord): LogRecord =>
    record.seq === wrong && record.outcome !== undefined
      ? { ...record, outcome: { ...record.outcome, stateDigest: new Uint8Array(16) } }
      : record;
  await using history = historyOf(await goldenWith(wrongState));
  await history.read();
  const { head } = history.progress;
  expect((await history.record(head)).verdict).toBe("agrees");
  expect(await history.record(wrong)).toMatchObject({ verdict: "differs", disagreement: expect.stringContaining("record 40") });
  expect(history.progress).toMatchObject({ isOver: false, differing: [wrong], differingCount: 1 });
  expect(history.progress.checked).toBeLessThan(head);
  await history.over();
  expect(history.progress).toMatchObject({ isOver: true, checked: head, differing: [wrong], differingCount: 1, failure: null });
  const verdicts = new Set((await history.records(1n, head)).map(({ view, verdict }) => (view.seq === wrong ? "" : verdict)));
  expect([...verdicts].sort()).toEqual(["", "agrees"]);
  expect((await history.find({ from: 0n, direction: "forward", verdict: "differs" }))?.view.seq).toBe(wrong);
});

test("a log that cannot be read to its end can be looked at up to there, and the history says why", async () => {
  const unknown = 30n;
  await using history = historyOf(await goldenWith((record) => (record.seq === unknown ? { ...record, schema: 99 } : record)));
  await history.over();
  expect(history.progress).toMatchObject({ head: unknown - 1n, isOver: true, failure: { code: "LOG_UNREADABLE" } });
  expect(history.progress.failure?.message).toContain("record 30");
  expect((await history.moment(unknown - 1n)).seq).toBe(unknown - 1n);
  await expect(history.moment(unknown)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("the history of a running wallet grows with it, and one of its directory asks the wallet", async () => {
  const { simulator, directory, wallet, address } = await setUp();
  await using own = wallet.history();
  await using asked = await Heartwood.history(directory);
  await simulator.pay(address, { amountsSats: [5_000n] });
  await wallet.sync();
  const { records } = wallet.status();
  for (const history of [own, asked]) {
    while (history.progress.head < records) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(history.progress).toMatchObject({ isLive: true, failure: null });
    expect((await history.moment(records)).balance).toEqual(wallet.balance());
  }
  await wallet.close();
  await own.over();
  expect(own.progress).toMatchObject({ isLive: false, isOver: true });
});

test("the history of a directory goes on when its wallet is closed, lets it be opened again, and follows it then", async () => {
  const { simulator, directory, wallet, options, address } = await setUp();
  await goLive(wallet);
  await using history = await Heartwood.history(directory);
  await history.read();
  await wallet.close();
  const { records, connection } = wallet.status();
  await eventually(() => history.progress.isAway && history.progress.head >= records, "the last records of the wallet");
  expect(history.progress).toMatchObject({ head: records, total: records, isLive: true, isOver: false, failure: null });
  expect(await history.moment(records)).toMatchObject({ connection });
  expect((await history.records(1n, records)).length).toBe(Number(records));
  const again = await openWallet(options);
  await simulator.pay(address, { amountsSats: [5_000n] });
  await again.sync();
  const now = again.status().records;
  await eventually(() => history.progress.head >= now, "the records of the wallet that was opened again");
  expect(history.progress).toMatchObject({ isAway: false, failure: null });
  expect((await history.moment(now)).balance).toEqual(again.balance());
});
