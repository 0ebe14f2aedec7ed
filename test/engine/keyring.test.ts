import { expect, test } from "vitest";
import { ancestorIds } from "../../ark/exit.ts";
import { WalletKeys } from "../../ark/keys.ts";
import { lineageOf } from "../../ark/lineage.ts";
import { encodeVtxo, vtxoId } from "../../ark/vtxo.ts";
import { outpointOf } from "../../ark/vtxo-id.ts";
import { Anchors } from "../../engine/anchors.ts";
import type { Engine } from "../../engine/engine.ts";
import { Keyring } from "../../engine/keyring.ts";
import { defaultPorts } from "../../engine/node/default-ports.ts";
import type { Dispatch } from "../../engine/run-loop.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import { alice, board, bob, destination, pay } from "../ark/payments.ts";
import { vtxoOf } from "../machines/fixtures.ts";
import { FastClock, MNEMONIC, OTHER_MNEMONIC } from "./helpers.ts";

/** A keyring that counts the keys it derives, and how often it lets others have their turn. */
function counted() {
  const keys = WalletKeys.fromMnemonic(MNEMONIC);
  const counts = { derived: 0, turns: 0 };
  const derive = keys.vtxoPublicKey.bind(keys);
  keys.vtxoPublicKey = (index) => {
    counts.derived++;
    return derive(index);
  };
  const clock = new FastClock();
  const after = clock.after.bind(clock);
  clock.after = (delayMs, callback) => {
    counts.turns++;
    return after(delayMs, callback);
  };
  return { keyring: new Keyring(keys, clock, defaultPorts.randomness), keys, counts };
}

const foreign = WalletKeys.fromMnemonic(OTHER_MNEMONIC);
const { signal } = new AbortController();

test("of thousands of used keys none is derived twice, nor all in one go, however many keys are looked for", async () => {
  const { keyring, keys, counts } = counted();
  await keyring.deriveUsed(200, signal);
  expect(counts).toEqual({ derived: 200, turns: 7 });
  for (let i = 0; i < 3; i++) expect(keyring.usedIndex(foreign.vtxoPublicKey(i), 200)).toBeUndefined();
  expect(await keyring.ownerIndex(keys.vtxoPublicKey(199), 200, signal)).toBe(199);
  for (let i = 0; i < 3; i++) expect(await keyring.ownerIndex(foreign.vtxoPublicKey(i), 200, signal, 100)).toBeUndefined();
  expect(counts).toEqual({ derived: 301, turns: 10 });
});

test("searches beside each other miss no key, and each ends with its signal", async () => {
  const { keyring, keys } = counted();
  const wanted = [5, 30, 55, 80].map((index) => WalletKeys.fromMnemonic(MNEMONIC).vtxoPublicKey(index));
  const stop = new AbortController();
  const stopped = expect(keyring.ownerIndex(foreign.vtxoPublicKey(0), 0, stop.signal, 1_000)).rejects.toThrow("stopped");
  const found = wanted.map((key) => keyring.ownerIndex(key, 0, signal, 100));
  stop.abort(new Error("stopped"));
  expect(await Promise.all(found)).toEqual([5, 30, 55, 80]);
  await stopped;
  expect(keyring.usedIndex(keys.vtxoPublicKey(80), 80)).toBeUndefined();
  expect(keyring.usedIndex(keys.vtxoPublicKey(80), 81)).toBe(80);
});

test("a look below a spent anchor lets others have their turn before it knows whose coins are on chain", async () => {
  const { keyring, counts } = counted();
  const [vtxo] = pay([{ vtxo: board(alice, 1_000n).vtxo, owner: alice }], [destination(1_000n, bob)]);
  if (vtxo === undefined) throw new Error("expected a payment");
  const pending = new WalletState();
  pending.nextKeyIndex = 200;
  pending.putCoin({ ...vtxoOf(1), id: vtxoId(vtxo), lineage: lineageOf(vtxo), checkpoint: 1n, seq: 1n });
  const { txid: anchorTxid } = vtxo.chainAnchor;
  const { txid } = outpointOf(ancestorIds(vtxo)[0] ?? "");
  const told: unknown[] = [];
  const engine = {
    blobs: { vtxo: async () => encodeVtxo(vtxo) },
    chain: {
      status: async () => ({ kind: "found", value: { confirmed: true, height: 90 } }),
      outspend: async (asked: string) => ({
        kind: "found",
        value: asked === anchorTxid ? { spent: true, txid } : { spent: false },
      }),
    },
    confirmations: 1,
    keyring,
    loop: { pending },
    notify: ({ event }: Dispatch) => void told.push(...(event.findings as readonly unknown[])),
    ports: { logger: () => {} },
  };
  await new Anchors(engine as unknown as Engine).look(100, signal);
  expect(told).toMatchObject([{ breaks: [{ code: "ANCHOR_SPENT" }] }]);
  expect(counts).toEqual({ derived: 200, turns: 7 });
});
