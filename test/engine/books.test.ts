import { expect, test } from "vitest";
import type { IssuedEffect, Transition } from "../../engine/transition.ts";
import { balanceOf, vtxosOf } from "../../engine/view.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { Effect } from "../../machines/effects.ts";
import { idOf, vtxoOf } from "../machines/fixtures.ts";

let seq = 0n;

/** A record of an action that does nothing but ask for entries. */
function record(instance: string, ...effects: readonly Effect[]): Transition {
  seq++;
  return {
    seq,
    epoch: 1n,
    atMs: Number(seq),
    machine: "arkoor-send",
    revision: 1,
    instance,
    version: 1n,
    event: { type: "package.delivered" },
    schema: 1,
    blobs: [],
    causeSeq: 0n,
    effectId: "",
    state: "Delivering",
    change: {},
    effects: effects.map((effect, index): IssuedEffect => ({ ...effect, id: `${seq}.${index}` })),
    digest: new Uint8Array(),
  };
}

/** A state with VTXOs 1 and 2 of 1,000 sat each. */
function withTwoCoins(): WalletState {
  const state = new WalletState();
  state.apply(record("arkoor-send/0", { type: "createCoins", params: { coins: [vtxoOf(1), vtxoOf(2)], locked: false } }));
  return state;
}

const lock = (...ids: number[]): Effect => ({ type: "lockCoins", params: { ids: ids.map(idOf) } });
const release = (...ids: number[]): Effect => ({ type: "releaseCoins", params: { ids: ids.map(idOf) } });
const spend = (...ids: number[]): Effect => ({ type: "spendCoins", params: { ids: ids.map(idOf) } });
const exit = (byHeight: number, ...ids: number[]): Effect => ({ type: "requireExit", params: { ids: ids.map(idOf), byHeight } });
const states = (state: WalletState) => vtxosOf(state).map((vtxo) => [vtxo.id, vtxo.state, vtxo.lockedBy]);

test("a VTXO is in one state, and each entry takes it to another", () => {
  const state = withTwoCoins();
  state.apply(record("arkoor-send/1", lock(1)));
  expect(states(state)).toEqual([
    [idOf(1), "locked", "arkoor-send/1"],
    [idOf(2), "spendable", null],
  ]);
  expect(balanceOf(state)).toMatchObject({ totalSats: 2_000n, spendableSats: 1_000n, lockedSats: 1_000n });
  state.apply(record("arkoor-send/1", release(1), lock(2)));
  state.apply(record("arkoor-send/1", spend(2)));
  expect(states(state)).toEqual([[idOf(1), "spendable", null]]);
  expect([state.isKnown(idOf(2)), state.isSpent(idOf(2)), state.isSpent(idOf(1))]).toEqual([true, true, false]);
  state.apply(record("arkoor-send/1", exit(4_000, 1)));
  state.apply(record("arkoor-send/1", release(1)));
  expect(states(state)).toEqual([[idOf(1), "exiting", "arkoor-send/1"]]);
  expect(balanceOf(state)).toMatchObject({ totalSats: 1_000n, spendableSats: 0n, exitingSats: 1_000n });
});

test("a spent VTXO is never made again, and one that is there stays as it is", () => {
  const state = withTwoCoins();
  state.apply(record("arkoor-send/1", lock(1, 2)));
  state.apply(record("arkoor-send/1", spend(2)));
  const again = { coins: [vtxoOf(1, { amountSats: 5n }), vtxoOf(2)], locked: false };
  state.apply(record("arkoor-send/1", { type: "createCoins", params: again }, spend(2)));
  expect(states(state)).toEqual([[idOf(1), "locked", "arkoor-send/1"]]);
  expect(balanceOf(state).totalSats).toBe(1_000n);
});

test.each([
  ["locks", lock(1)],
  ["releases", release(1)],
  ["spends", spend(1)],
  ["exits", exit(1, 1)],
] as const)("an action that %s a VTXO of another one is stopped before anything changes", (_, entry) => {
  const state = withTwoCoins();
  state.apply(record("arkoor-send/1", lock(1)));
  expect(() => state.apply(record("arkoor-send/2", entry))).toThrow(
    /expected .* free or its own, got one locked by arkoor-send\/1/,
  );
  expect(states(state)[0]).toEqual([idOf(1), "locked", "arkoor-send/1"]);
});

test("what an action left to be exited leaves the wallet when that has ended, and not before", () => {
  const markExited: Effect = { type: "markExited", params: { ids: [idOf(1)] } };
  const exited = { ...record("exit/arkoor-send/1", markExited), machine: "exit", state: "Ended" };
  const state = withTwoCoins();
  state.apply(record("arkoor-send/1", exit(4_000, 1)));
  expect(() => state.apply(exited)).toThrow(/expected .* of a payment that has ended, got one of arkoor-send\/1, which goes on/);
  expect(states(state)).toContainEqual([idOf(1), "exiting", "arkoor-send/1"]);
  state.apply({ ...record("arkoor-send/1"), state: "Failed" });
  state.apply({ ...exited, seq: ++seq });
  expect(states(state)).toEqual([[idOf(2), "spendable", null]]);
  expect([state.isKnown(idOf(1)), balanceOf(state).totalSats]).toEqual([true, 1_000n]);
  expect(() => state.apply({ ...exited, seq: ++seq })).toThrow(/got none/);
});

test("a VTXO that the wallet has not cannot be locked", () => {
  expect(() => withTwoCoins().apply(record("arkoor-send/1", lock(3)))).toThrow(/got none/);
});

test("HTLCs stand apart: outgoing ones beside the total, incoming ones in it", () => {
  const state = withTwoCoins();
  const htlcs = [
    { ...vtxoOf(3, { amountSats: 30n }), policyKind: "server-htlc-send-v1" as const },
    { ...vtxoOf(4, { amountSats: 4n }), policyKind: "server-htlc-receive-v1" as const },
  ];
  state.apply(record("lightning-send/1", { type: "createCoins", params: { coins: htlcs, locked: true } }));
  const { totalSats, spendableSats, lockedSats, pendingInSats, pendingOutSats } = balanceOf(state);
  expect({ totalSats, spendableSats, lockedSats, pendingInSats, pendingOutSats }).toEqual({
    totalSats: 2_004n,
    spendableSats: 2_000n,
    lockedSats: 0n,
    pendingInSats: 4n,
    pendingOutSats: 30n,
  });
});

test("what an action holds is never in doubt after a salvage: the server may call it anything while it is claimed", () => {
  const state = new WalletState();
  const event = { type: "wallet.salvaged", keptSeq: seq, lostTo: null, damage: [], keyGap: 0 };
  const salvaged = { ...record("salvage/main"), machine: "salvage", event, state: "Reconciling", change: { keyGap: 0 } };
  state.apply(salvaged);
  const held: Effect = { type: "createCoins", params: { coins: [vtxoOf(1)], locked: true } };
  const change: Effect = { type: "createCoins", params: { coins: [vtxoOf(2)], locked: false } };
  state.apply(record("lightning-receive/00", held, change));
  expect([1, 2].map((n) => state.coins.get(idOf(n))?.isUnsure)).toEqual([undefined, true]);
});

test("what a payment sets free that was open at a salvage is in doubt, however long that is ago", () => {
  const state = withTwoCoins();
  state.apply(record("arkoor-send/old", lock(1)));
  const salvaged = { type: "wallet.salvaged", keptSeq: seq, lostTo: null, damage: [], keyGap: 0 };
  state.apply({ ...record("salvage/main"), machine: "salvage", event: salvaged, state: "Reconciling", change: { keyGap: 0 } });
  const unspent = [idOf(2)];
  const checked = { type: "vtxos.checked", unspent, withdrawn: [] };
  state.apply({
    ...record("salvage/main"),
    machine: "salvage",
    event: checked,
    state: "Reconciling",
    change: { unspent, withdrawn: [] },
  });
  const reconciled = { type: "wallet.reconciled" };
  state.apply({ ...record("salvage/main"), machine: "salvage", event: reconciled, state: "Reconciled", change: {} });
  state.apply(record("arkoor-send/new", lock(2)));
  state.apply(record("arkoor-send/new", release(2)));
  const refund: Effect = { type: "createCoins", params: { coins: [vtxoOf(3)], locked: false } };
  // Its last record: the instance is gone with it.
  state.apply({ ...record("arkoor-send/old", release(1), refund), state: "Delivered" });
  expect([1, 2, 3].map((n) => state.coins.get(idOf(n))?.isUnsure)).toEqual([true, undefined, true]);
});
