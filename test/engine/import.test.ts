import { expect, test } from "vitest";
import { encodeVtxo, vtxoId } from "../../ark/vtxo.ts";

import type { Engine } from "../../engine/engine.ts";
import { importVtxo } from "../../engine/import-vtxo.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { corruptVtxo } from "../../simulator/index.ts";
import { alice, board } from "../ark/payments.ts";
import { vtxoOf } from "../machines/fixtures.ts";
import { eventually, expectBooksToBalance, goLive, openWallet, setUp } from "./helpers.ts";

test("an imported VTXO is credited once, with a movement of its own, however often and whichever way it comes", async () => {
  const { simulator, wallet, address, directory, options } = await setUp();
  const [vtxo, other] = await simulator.createPackage(address, { amountsSats: [1_000n, 2_000n] });
  const bytes = vtxo?.bytes ?? new Uint8Array();
  await goLive(wallet);
  const movement = `vtxo_import.${vtxo?.id}`;
  const outcomes = await Promise.all([wallet.importVtxo(bytes), wallet.importVtxo(bytes)]);
  const credited = { status: "credited", id: vtxo?.id, amountSats: 1_000n, movement };
  expect(outcomes).toEqual([credited, credited]);
  expect(await wallet.importVtxo(bytes)).toEqual({ status: "known", id: vtxo?.id });
  // The mailbox brings it too, with another one: only that is new (mailbox.md W-17).
  simulator.deliver(address, [bytes, other?.bytes ?? bytes]);
  await eventually(() => wallet.balance().totalSats === 3_000n, "the other one");
  expect(wallet.movements().map(({ effectiveBalanceSats }) => effectiveBalanceSats)).toEqual([1_000n, 2_000n]);
  expect(wallet.quarantine()).toEqual([]);
  expectBooksToBalance(wallet.status());
  await wallet.close();
  const again = await openWallet({ ...options, directory });
  expect(again.balance().totalSats).toBe(3_000n);
  expect(await again.importVtxo(bytes)).toEqual({ status: "known", id: vtxo?.id });
});

test("what is imported without a connection is kept, and credited at the next one", async () => {
  const { simulator, wallet, address, options } = await setUp();
  const [vtxo] = await simulator.createPackage(address, { amountsSats: [1_000n] });
  const bytes = vtxo?.bytes ?? new Uint8Array();
  const held = await wallet.importVtxo(bytes);
  expect(held).toMatchObject({ status: "quarantined", id: vtxo?.id, code: "AWAITING_VETTING", permanent: false, checkpoint: 0n });
  expect(await wallet.importVtxo(bytes)).toEqual(held);
  await expect(wallet.retryQuarantine()).rejects.toMatchObject({ code: "NOT_CONNECTED", retryable: true });
  await wallet.close();
  const again = await openWallet(options);
  expect(await again.sync()).toMatchObject({ messages: 0, caughtUp: true });
  expect(again.balance().totalSats).toBe(1_000n);
  expect(again.quarantine()).toEqual([]);
});

test("an imported VTXO that a payment brings while it is vetted is known, and no payment received", async () => {
  const { vtxo } = board(alice, 10_000n);
  const state = new WalletState();
  const feed = () => state.putCoin({ ...vtxoOf(1), id: vtxoId(vtxo), checkpoint: 0n, seq: 1n });
  const engine = { feed, loop: { pending: state, settled: async () => {} }, committed: state, connection: {} };
  const outcome = await importVtxo(engine as unknown as Engine, encodeVtxo(vtxo));
  expect(outcome).toEqual({ status: "known", id: vtxoId(vtxo) });
});

test("what is no money is held with its reason, and becomes money on request when the reason is gone", async () => {
  const { simulator, wallet, address } = await setUp();
  const [vtxo] = await simulator.createPackage(address, { amountsSats: [1_000n], unconfirmedAnchor: true });
  await goLive(wallet);
  const held = await wallet.importVtxo(vtxo?.bytes ?? new Uint8Array());
  expect(held).toMatchObject({ status: "quarantined", code: "ANCHOR_UNCONFIRMED", permanent: false });
  const key = held.status === "quarantined" ? held.key : "";
  expect(await wallet.retryQuarantine(key)).toMatchObject([{ status: "quarantined", key, code: "ANCHOR_UNCONFIRMED" }]);
  simulator.mine(1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await wallet.retryQuarantine().catch(() => {});
  await eventually(() => wallet.balance().totalSats === 1_000n, "the credit");
  await expect(wallet.retryQuarantine(key)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await wallet.importVtxo(Uint8Array.of(1, 2, 3))).toMatchObject({ status: "quarantined", id: null, permanent: true });
  for (const size of [0, 128 * 1024 + 1]) {
    await expect(wallet.importVtxo(new Uint8Array(size))).rejects.toMatchObject({ code: "BAD_OPTION" });
  }
  expectBooksToBalance(wallet.status());
});

test("what stands beyond 100 entries of a message becomes money on request, and the answer says so", async () => {
  const { simulator, wallet, address } = await setUp({ pageLimit: 2_000 });
  await goLive(wallet);
  const vtxos = await simulator.createPackage(address, { amountsSats: [1_000n] });
  simulator.deliver(address, [...Array.from({ length: 100 }, (_, i) => Uint8Array.of(i)), ...vtxos]);
  await eventually(() => wallet.quarantine().length === 101, "the message");
  const key = wallet.quarantine().find(({ code }) => code === "TOO_MANY_ENTRIES")?.key;
  expect(await wallet.retryQuarantine(key)).toMatchObject([{ status: "credited", id: vtxos[0]?.id, amountSats: 1_000n }]);
});

test("a VTXO that is held twice, with other bytes each time, is awaited once", async () => {
  const { simulator, wallet, address } = await setUp();
  const { vtxos } = await simulator.pay(address, { amountsSats: [7_000n], unconfirmedAnchor: true });
  await goLive(wallet);
  const broken = corruptVtxo(vtxos[0]?.bytes ?? new Uint8Array(), "signature");
  expect(await wallet.importVtxo(broken)).toMatchObject({ status: "quarantined", code: "ANCHOR_UNCONFIRMED" });
  expect(wallet.quarantine()).toHaveLength(2);
  expect(wallet.balance().unconfirmedSats).toBe(7_000n);
});
