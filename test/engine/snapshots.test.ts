import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { lastValueFrom } from "rxjs";
import { expect, test } from "vitest";
import { Heartwood, type Logger } from "../../engine/index.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import { replayed } from "../../engine/replay.ts";
import { restore } from "../../engine/restore.ts";
import { RunLoop } from "../../engine/run-loop.ts";
import { SnapshotKeeper } from "../../engine/snapshot-keeper.ts";
import { encodeState } from "../../engine/state-snapshot.ts";
import { WALLET, WalletState } from "../../engine/wallet-state.ts";
import { decodeCanonical, encodeCanonical, type Plain } from "../../machines/canonical.ts";
import { HeadFile } from "../../store/head-file.ts";
import { createMemoryLog, openLevelLog, type SnapshotLog } from "../../store/index.ts";
import { damageRecord, forgeOwner } from "../store/helpers.ts";
import { codeOfRefusal, eventually, openWallet, type Setup, setUp } from "./helpers.ts";

/** A closed wallet that received twice, the second time after a halt, and gave out addresses. */
async function livedIn(): Promise<Setup> {
  const setup = await setUp();
  const { simulator, wallet, address } = setup;
  await simulator.pay(address, { amountsSats: [1_000n, 2_000n] });
  await wallet.sync();
  simulator.chain.setFault("down");
  await simulator.pay(address, { amountsSats: [4_000n] });
  await wallet.sync().catch(() => {});
  simulator.chain.setFault(null);
  await wallet.sync();
  await wallet.address({ fresh: true });
  await wallet.close();
  return setup;
}

type Parts = readonly Uint8Array[];

/** Makes a snapshot of a record, the last one unless given, with parts as `change` gives them. */
async function makeSnapshot(directory: string, at?: bigint, change = (parts: Parts): Parts => parts): Promise<bigint> {
  await using log = await openLevelLog(directory);
  const state = new WalletState();
  for await (const { seq } of replayed(log, state)) if (seq === at) break;
  await log.saveSnapshot({ seq: state.seq, parts: change([...encodeState(state)]) });
  return state.seq;
}

/** What an opening replays: the first and the last record it speaks of. */
async function replayedRecords(directory: string): Promise<readonly bigint[]> {
  await using log = await openLevelLog(directory, { readOnly: true, verify: "needed" });
  const { snapshotSeq, state } = await restore(log);
  return [snapshotSeq + 1n, state.seq];
}

test("from every record on, a snapshot and the records behind it come to the state of the whole log, byte for byte", async () => {
  const { directory } = await livedIn();
  await using log = await openLevelLog(directory);
  const whole = [...encodeState((await restore(log)).state)];
  const state = new WalletState();
  for await (const { seq } of replayed(log, state)) {
    await log.saveSnapshot({ seq, parts: [...encodeState(state)] });
    const restored = await restore(log);
    expect(restored.snapshotSeq).toBe(seq);
    expect([...encodeState(restored.state)]).toEqual(whole);
  }
});

test("a wallet opened from a snapshot says what it said, and goes on", async () => {
  const { directory, options, simulator, address } = await livedIn();
  const before = await Heartwood.read(directory);
  expect(before.balance.totalSats).toBe(7_000n);
  const seq = await makeSnapshot(directory);
  expect(await replayedRecords(directory)).toEqual([seq + 1n, seq]);
  expect(await Heartwood.read(directory)).toEqual({ ...before, epoch: before.epoch });
  const wallet = await openWallet(options);
  await simulator.pay(address, { amountsSats: [8_000n] });
  expect(await wallet.sync()).toMatchObject({ messages: 1, applied: 1 });
  expect(wallet.balance().totalSats).toBe(15_000n);
  await wallet.sync();
  expect(wallet.movements()).toHaveLength(3);
});

test("damage in front of a snapshot does not change what is opened, and the verification names it", async () => {
  const { directory } = await livedIn();
  const before = await Heartwood.read(directory);
  await makeSnapshot(directory);
  await damageRecord(directory, 3n);
  expect(await Heartwood.read(directory)).toEqual(before);
  await expect(Heartwood.verify(directory)).rejects.toMatchObject({ code: "STORE_BAD_FRAME", place: { seq: 3n } });
});

test("damage behind a snapshot is refused by every opening", async () => {
  const { directory, options } = await livedIn();
  const end = (await Heartwood.read(directory)).records;
  await makeSnapshot(directory, end - 5n);
  await damageRecord(directory, end - 2n);
  expect(await codeOfRefusal(Heartwood.read(directory))).toBe("STORE_BAD_FRAME");
  expect(await codeOfRefusal(Heartwood.open(options))).toBe("STORE_BAD_FRAME");
});

/** Changes the header, which is the first part. */
const header =
  (change: (members: Record<string, Plain>) => Record<string, Plain>) =>
  ([first = new Uint8Array(), ...others]: Parts): Parts => {
    const members = decodeCanonical(new TextDecoder().decode(first)) as Record<string, Plain>;
    return [new TextEncoder().encode(encodeCanonical(change(members))), ...others];
  };

const misfits: Readonly<Record<string, (parts: Parts) => Parts>> = {
  "of another form": header((members) => ({ ...members, format: 99 })),
  "of another record": header((members) => ({ ...members, seq: 1n })),
  "after a record of a later revision": header(({ versions, ...rest }) => ({
    ...rest,
    versions: { ...(versions as object), message: 2 },
  })),
  "after an event of a later schema": header(({ versions, ...rest }) => ({
    ...rest,
    versions: { ...(versions as object), "message package.vetted": 2 },
  })),
  "after an event that is not known": header(({ versions, ...rest }) => ({
    ...rest,
    versions: { ...(versions as object), "message package.weighed": 1 },
  })),
  "with a row too few": header((members) => ({ ...members, rows: { ...(members.rows as object), coins: 4 } })),
  "without its last table": (parts) => parts.slice(0, -1),
  "with half an index": (parts) => parts.map((part, index) => (index === 1 ? part.slice(0, 13) : part)),
  "with rows of another build": (parts) =>
    parts.map((part) => new TextEncoder().encode(new TextDecoder().decode(part).replaceAll('"Following"', '"Wandering"'))),
  "that is empty": () => [],
};

test("a snapshot that does not fit is passed over for the older one, or the whole log", async () => {
  const { directory } = await livedIn();
  const before = await Heartwood.read(directory);
  const used: Record<string, readonly bigint[]> = {};
  for (const [what, change] of Object.entries(misfits)) {
    await makeSnapshot(directory, undefined, change);
    used[what] = await replayedRecords(directory);
    expect(await Heartwood.read(directory), what).toEqual(before);
    await Heartwood.verify(directory);
  }
  expect(used).toEqual(Object.fromEntries(Object.keys(misfits).map((what) => [what, [1n, before.records]])));
  await makeSnapshot(directory, 9n);
  expect(await replayedRecords(directory)).toEqual([10n, before.records]);
});

test("after a crash the older part of the log is read beside the work, and damage in it stops the wallet", async () => {
  const { directory, options } = await livedIn();
  const { records } = await Heartwood.read(directory);
  await makeSnapshot(directory, records - 9n);
  await makeSnapshot(directory, records - 4n);
  const crash = async () => {
    const head = await HeadFile.open(join(directory, "HEAD"), false);
    await head.write({ ...head.state, clean: false });
    const epoch = String(head.state.epoch);
    await head.close();
    await forgeOwner(directory, { pid: "4194304", epoch });
  };
  const verified = "the older part of the log was verified";
  const said: string[] = [];
  const logger: Logger = (_level, message) => void said.push(message);
  const open = () => openWallet({ ...options, ports: { ...options.ports, logger } });

  await crash();
  const whole = await open();
  await eventually(() => said.includes(verified), "the rest to be verified");
  expect(whole.balance().totalSats).toBe(7_000n);
  await whole.close();

  await crash();
  await damageRecord(directory, 3n);
  const damaged = await open();
  await expect(lastValueFrom(damaged.events$)).rejects.toMatchObject({ code: "STORE_BAD_FRAME", place: { seq: 3n } });
  expect(await codeOfRefusal(damaged.address({ fresh: true }))).toBe("WALLET_FAILED");
  await damaged.close();
  expect(await codeOfRefusal(open())).toBe("STORE_BAD_FRAME");
});

test("a snapshot that says something else than the log is found by the verification", async () => {
  const { directory } = await livedIn();
  const seq = await makeSnapshot(
    directory,
    undefined,
    header((members) => ({ ...members, nextKeyIndex: 77 })),
  );
  await expect(Heartwood.verify(directory)).rejects.toMatchObject({ code: "LOG_MISMATCH", place: { seq } });
});

const place = { fingerprint: "00000000", serverUrl: "", chainUrl: "" };

/** A run loop that makes snapshots as the engine does, with a pinned wallet. */
async function looping(log: SnapshotLog, logger: Logger = () => {}) {
  const { state: committed, snapshotSeq } = await restore(log);
  const snapshots = new SnapshotKeeper(log, committed, snapshotSeq, logger);
  const listener = { onCommitted: () => snapshots.consider(), onFailed: () => {} };
  const loop = new RunLoop({ log, committed, listener, clock: defaultPorts.clock, randomness: defaultPorts.randomness });
  const keys = { serverPubkey: "02", mailboxPubkey: "03" };
  loop.dispatch({ instance: WALLET, event: { type: "wallet.created", network: "regtest", ...place } });
  loop.dispatch({ instance: WALLET, event: { type: "server.pinned", ...keys } });
  return {
    committed,
    async issue(count: number): Promise<void> {
      for (let i = 0; i < count; i++) loop.dispatch({ instance: WALLET, event: { type: "address.issued" } });
      await loop.settled();
    },
    async close(): Promise<void> {
      await loop.close();
      await snapshots.finish();
      await log.close();
    },
  };
}

async function snapshotSeqs(log: SnapshotLog): Promise<bigint[]> {
  const seqs: bigint[] = [];
  for await (const { seq } of log.snapshots()) seqs.push(seq);
  return seqs;
}

test("a snapshot is made when a thousand records were written since the last one and the log is closed", async () => {
  const memory = createMemoryLog();
  const short = await looping(await memory.open());
  await short.issue(997);
  await short.close();
  const longer = await memory.open();
  expect(await snapshotSeqs(longer)).toEqual([]);
  const wallet = await looping(longer);
  await wallet.issue(10);
  await wallet.close();
  const log = await memory.open();
  expect(await snapshotSeqs(log)).toEqual([1_009n]);
  expect((await restore(log)).state.nextKeyIndex).toBe(1_007);
});

test("a snapshot is made every ten thousand records, beside the work", async () => {
  const log = await createMemoryLog().open();
  const wallet = await looping(log);
  for (let round = 0; round < 24; round++) {
    await wallet.issue(1_000);
    await new Promise((resolve) => setTimeout(resolve, 5)); // a log on disk lets timers run
  }
  await eventually(async () => (await snapshotSeqs(log)).length === 2, "two snapshots");
  const [newest = 0n, older = 0n] = await snapshotSeqs(log);
  expect(older).toBeGreaterThanOrEqual(10_000n);
  expect(newest - older).toBeGreaterThanOrEqual(10_000n);
  await wallet.close();
});

test("a snapshot that cannot be saved harms nothing", async () => {
  const memory = createMemoryLog();
  const log = await memory.open();
  log.saveSnapshot = () => Promise.reject(new Error("no room"));
  const said: string[] = [];
  const wallet = await looping(log, (_level, message) => void said.push(message));
  await wallet.issue(1_000);
  await wallet.close();
  expect(said).toEqual(["a snapshot could not be saved"]);
  expect((await restore(await memory.open())).state.nextKeyIndex).toBe(1_000);
});

test("snapshot files lie in a directory of their own", async () => {
  const { directory } = await livedIn();
  const seq = await makeSnapshot(directory);
  expect(await readdir(join(directory, "snapshots"))).toEqual([String(seq).padStart(20, "0")]);
});
