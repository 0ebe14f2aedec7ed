import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { Heartwood, type OpenOptions, type Wallet, type WalletEvent } from "../../engine/index.ts";
import { keyGapOf } from "../../engine/node/salvage-wallet.ts";
import { refuseWhileUnsure } from "../../engine/reconcile.ts";
import { restore } from "../../engine/restore.ts";
import type { Simulator } from "../../simulator/index.ts";
import { exportLog, importLog, openLevelLog } from "../../store/index.ts";
import { codeOfRefusal, expectBooksToBalance, goLive, nextEvent, openWallet, recorded, setUp } from "./helpers.ts";

const AMOUNTS = [1_000n, 2_000n, 4_000n, 8_000n];

interface Damaged {
  readonly simulator: Simulator;
  readonly directory: string;
  /** Where the salvaged wallet goes, and how to open it. */
  readonly to: string;
  readonly options: OpenOptions;
  /** Ids of the VTXOs that were received, in order. */
  readonly ids: readonly string[];
  readonly nextKeyIndex: number;
}

/** A closed wallet with four receipts, whose log is damaged at the first record that `isHit` takes. */
async function damagedWallet(isHit: (event: string, receipts: number) => boolean): Promise<Damaged> {
  const { simulator, directory, wallet, options } = await setUp();
  const ids: string[] = [];
  for (const amountSats of AMOUNTS) {
    const { vtxos } = await simulator.pay(await wallet.address({ fresh: true }), { amountsSats: [amountSats] });
    ids.push(...vtxos.map(({ id }) => id));
    await wallet.sync();
  }
  const { nextKeyIndex } = wallet.status();
  expectBooksToBalance(wallet.status());
  await wallet.close();
  let [hit, receipts] = [0n, 0];
  for await (const { seq, type, state } of Heartwood.records(directory)) {
    if (hit === 0n && isHit(type, receipts)) hit = seq;
    if (type === "package.vetted" && state === "Applied") receipts++;
  }
  await damage(directory, hit);
  const to = `${directory}-salvaged`;
  return { simulator, directory, to, options: { ...options, directory: to }, ids, nextKeyIndex };
}

async function damage(directory: string, seq: bigint): Promise<void> {
  const key = Buffer.from(`65${seq.toString(16).padStart(16, "0")}`, "hex");
  const level = new Level<Uint8Array, Uint8Array>(join(directory, "log"), { keyEncoding: "view", valueEncoding: "view" });
  const bytes = Uint8Array.from((await level.get(key)) ?? []);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await level.put(key, bytes, { sync: true });
  await level.close();
}

const total = (amounts: readonly bigint[]) => amounts.reduce((sum, amount) => sum + amount, 0n);
/** Breaks the log at the record that decides the third package. */
const atThirdReceipt = (event: string, receipts: number) => event === "package.vetted" && receipts === 2;

test("a salvaged wallet asks server and mailbox once, and has the balance that it had before", async () => {
  const { directory, to, options, ids, nextKeyIndex } = await damagedWallet(atThirdReceipt);
  expect(await codeOfRefusal(Heartwood.open({ ...options, directory }))).toBe("STORE_BAD_FRAME");
  const salvage = await Heartwood.salvage(directory, to);
  expect(salvage.damage.map(({ code }) => code)).toEqual(["STORE_BAD_FRAME"]);
  expect(salvage.lost?.from).toBe(salvage.kept.seq + 1n);
  expect(salvage.notGivenBack.length).toBeGreaterThan(2);

  const before = await Heartwood.read(to);
  expect(before.reconciling).toEqual({ keptSeq: salvage.kept.seq, lostTo: salvage.lost?.to, unsureVtxos: 2 });
  expect(before.balance).toMatchObject({ totalSats: 3_000n, unsureSats: 3_000n, spendableSats: 0n });
  expect(before.vtxos.map(({ state }) => state)).toEqual(["unsure", "unsure"]);
  // Every key of the lost records is passed over.
  expect(before.nextKeyIndex).toBeGreaterThanOrEqual(nextKeyIndex);

  const wallet = await openWallet(options);
  const events = recorded(wallet);
  await wallet.sync();
  const status = wallet.status();
  expect(status).toMatchObject({
    reconciling: null,
    balance: { totalSats: total(AMOUNTS), spendableSats: total(AMOUNTS), unsureSats: 0n },
  });
  expect(status.vtxos.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(status.quarantine).toEqual([]);
  expectBooksToBalance(status);
  expect(typesOf(events)).toEqual(["payment.received", "payment.received", "wallet.reconciled"]);
  expect(typesOf(await history(wallet))).toContain("wallet.salvaged");

  await wallet.sync();
  expect(wallet.status()).toMatchObject({ reconciling: null, balance: status.balance });
  await wallet.close();
  expect((await Heartwood.verify(to)).borne).toEqual([]);
});

test("a VTXO that was spent in the lost records leaves the balance, with a movement and its bytes in quarantine", async () => {
  const { simulator, directory, to, options, ids } = await damagedWallet(atThirdReceipt);
  const [first = "", , third = ""] = ids;
  for (const id of [first, third]) simulator.setSpendState(id, "spent");
  await Heartwood.salvage(directory, to);
  const wallet = await openWallet(options);
  const withdrawn = nextEvent(wallet, "vtxos.withdrawn");
  await wallet.sync();
  const status = wallet.status();
  expect(status).toMatchObject({ reconciling: null, balance: { totalSats: 10_000n, spendableSats: 10_000n } });
  expect(status.movements.find(({ inputVtxos }) => inputVtxos.length > 0)).toMatchObject({
    subsystem: { name: "heartwood.salvage", kind: "withdrawal" },
    effectiveBalanceSats: -1_000n,
    inputVtxos: [first],
  });
  expect(await withdrawn).toMatchObject({ amountSats: -1_000n, vtxos: [first] });
  expect(status.quarantine.map(({ id, code }) => [id, code]).toSorted()).toEqual(
    [first, third].toSorted().map((id) => [id, "SERVER_SAYS_SPENT"]),
  );
  expectBooksToBalance(status);
  const { key = "" } = status.quarantine.find(({ id }) => id === first) ?? {};
  const bytes = await wallet.quarantinedBytes(key);
  expect(bytes.length).toBeGreaterThan(100);
  // Whoever brings the same bytes gets that item, however often.
  const brought = { status: "quarantined", key, id: first, code: "SERVER_SAYS_SPENT" };
  for (let time = 0; time < 2; time++) expect(await wallet.importVtxo(bytes)).toMatchObject(brought);
  expect(wallet.quarantine()).toHaveLength(2);

  // The server may have lied: it is asked again, and the money comes back with a movement of its own.
  for (const id of [first, third]) simulator.setSpendState(id, "spendable");
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(total(AMOUNTS));
  expectBooksToBalance(wallet.status());
});

test("while the server gives no answer about a VTXO the wallet stays reconciling, and goes on at the next connection", async () => {
  const { simulator, directory, to, options } = await damagedWallet(atThirdReceipt);
  await Heartwood.salvage(directory, to);
  const wallet = await openWallet(options);
  simulator.faults.failNext("GetVtxoStatus", Status.UNAVAILABLE, 100);
  await wallet.sync().catch(() => undefined);
  expect(wallet.status().reconciling).toMatchObject({ unsureVtxos: 2 });
  await wallet.close();
  simulator.faults.clear();
  const again = await openWallet(options);
  expect(again.status().reconciling).toMatchObject({ unsureVtxos: 2 });
  const reconciled = nextEvent(again, "wallet.reconciled");
  await goLive(again);
  await reconciled;
  expect(again.status()).toMatchObject({ reconciling: null, balance: { totalSats: total(AMOUNTS) } });
});

test("what spends is refused until the wallet is reconciled, and an old address is not", async () => {
  const { directory, to, options } = await damagedWallet(atThirdReceipt);
  await Heartwood.salvage(directory, to);
  const refusalIn = async (path: string): Promise<unknown> => {
    await using log = await openLevelLog(path, { readOnly: true });
    const { state } = await restore(log);
    return codeOfRefusal(Promise.resolve().then(() => refuseWhileUnsure(state)));
  };
  expect(await refusalIn(to)).toBe("WALLET_RECONCILING");
  const wallet = await openWallet(options);
  const address = await wallet.address();
  expect(address).toMatch(/^tark/);
  expect(await codeOfRefusal(wallet.send(address, 1n))).toBe("WALLET_RECONCILING");
  await wallet.sync();
  await wallet.close();
  expect(await refusalIn(to)).toBe("no refusal");
});

test("a salvaged wallet that is exported and imported before it was opened is reconciling too", async () => {
  const { directory, to } = await damagedWallet(atThirdReceipt);
  await Heartwood.salvage(directory, to);
  await exportLog(to, `${to}.export`);
  await importLog(`${to}.export`, `${to}-copy`);
  expect((await Heartwood.read(`${to}-copy`)).reconciling).toMatchObject({ unsureVtxos: 2 });
});

test("no address that was given out in the lost records is given out again", async () => {
  const { directory, to, options, nextKeyIndex } = await damagedWallet((event) => event === "address.issued");
  const { keyGap, kept } = await Heartwood.salvage(directory, to);
  expect(keyGap).toBeGreaterThanOrEqual(AMOUNTS.length);
  const wallet = await openWallet(options);
  await wallet.sync();
  expect(wallet.balance().totalSats).toBe(total(AMOUNTS));
  await wallet.address({ fresh: true });
  expect(wallet.status().nextKeyIndex).toBeGreaterThan(nextKeyIndex);
  expect(kept.seq).toBeGreaterThan(0n);
  expect((await readdir(directory)).sort()).toEqual(["HEAD", "HEARTWOOD", "log"]);
});

test("as many keys are passed over as the lost records can have given out, and a guess only where nobody knows how many", () => {
  const kept = { logId: "", epoch: 1n, seq: 10n, commit: 5n, chain: "" };
  const gap = (lostTo: bigint | undefined, isEndKnown: boolean): number =>
    keyGapOf({ kept, damage: [], lost: lostTo === undefined ? undefined : { from: 11n, to: lostTo }, isEndKnown, stranded: [] });
  expect(gap(undefined, true)).toBe(20);
  expect(gap(50_010n, true)).toBe(100_020);
  expect(gap(undefined, false)).toBe(1_000);
  expect(gap(500n, false)).toBe(1_000);
  expect(gap(5_010n, false)).toBe(10_000);
});

const TOLD = new Set(["payment.received", "wallet.reconciled", "wallet.salvaged", "vtxos.withdrawn", "vtxo.quarantined"]);

function typesOf(events: readonly WalletEvent[]): string[] {
  return events.map(({ type }) => type).filter((type) => TOLD.has(type));
}

async function history(wallet: Wallet): Promise<WalletEvent[]> {
  const [events, end] = [[] as WalletEvent[], wallet.status().records];
  for await (const event of wallet.events()) {
    events.push(event);
    if (event.seq >= end) break;
  }
  return events;
}
