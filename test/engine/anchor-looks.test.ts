import { expect, test } from "vitest";
import { encodeVtxo } from "../../ark/vtxo.ts";
import type { ChainSource } from "../../chain/source.ts";
import { Anchors } from "../../engine/anchors.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Dispatch } from "../../engine/run-loop.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { AnchorFinding } from "../../machines/anchors.machine.ts";
import type { VtxoSource } from "../../machines/package.ts";
import { alice, board } from "../ark/payments.ts";
import { vtxoOf } from "../machines/fixtures.ts";

// Which anchors are looked at when, with no more of an engine than what is asked about it.

const { signal } = new AbortController();
const txidOf = (n: number): string => n.toString(16).padStart(64, "0");
const numberOf = (txid: string): number => Number.parseInt(txid, 16);
const silence = { kind: "unknown", error: { code: "CHAIN_TIMEOUT", message: "none" } };

/** As many VTXOs, each under an anchor of its own. */
function underAnchors(count: number): WalletState {
  const state = new WalletState();
  for (let n = 1; n <= count; n++) state.putCoin({ ...vtxoOf(n), lineage: [`${n}:0`], checkpoint: 1n, seq: 1n });
  return state;
}

/** Looks as a process that has just begun: `status` answers about the anchor of a number, and `found` has what came of it. */
function anchorsOf(pending: WalletState, status: (n: number) => unknown) {
  const found: string[] = [];
  const { vtxo } = board(alice, 10_000n);
  const anchors = new Anchors({
    blobs: {
      vtxo: async ({ entry }: VtxoSource) => encodeVtxo({ ...vtxo, chainAnchor: { txid: txidOf(entry ?? 0), vout: 0 } }),
    },
    chain: { status: async (txid: string) => status(numberOf(txid)) } as unknown as ChainSource,
    confirmations: 1,
    loop: { pending },
    notify: ({ event }: Dispatch) => {
      found.push(...(event.findings as readonly AnchorFinding[]).map(({ anchor }) => anchor));
    },
    ports: { logger: () => {} },
  } as unknown as Engine);
  return { anchors, found };
}

test("a sync asks about 64 anchors that come first and 64 of the others, which all have their turn as blocks come", async () => {
  const pending = underAnchors(501);
  const newest = Array.from({ length: 64 }, (_, n) => `${501 - n}:0`).sort();
  const seen = new Set<string>();
  for (let tip = 100; tip < 107; tip++) {
    const { anchors, found } = anchorsOf(pending, () => ({ kind: "absent" }));
    await anchors.look(tip, signal, { all: true });
    expect(found).toHaveLength(128);
    expect(found.slice(0, 64).sort()).toEqual(newest);
    for (const anchor of found) seen.add(anchor);
  }
  expect(seen.size).toBe(501);
});

test("a look at anchors ends with its signal although the source never answers, and holds up no later one", async () => {
  let isSilent = true;
  let onAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const { anchors, found } = anchorsOf(underAnchors(1), () => {
    onAsked();
    return isSilent ? new Promise(() => {}) : { kind: "absent" };
  });
  const stop = new AbortController();
  const looked = anchors.look(100, stop.signal);
  await asked;
  stop.abort(new Error("stopped"));
  await expect(looked).rejects.toThrow("stopped");
  isSilent = false;
  await anchors.look(100, signal);
  expect(found).toHaveLength(1);
});

test("a source that knows no signal is asked nothing more once it came", async () => {
  const stop = new AbortController();
  let asked = 0;
  const { anchors } = anchorsOf(underAnchors(50), () => {
    if (++asked === 3) stop.abort(new Error("stopped"));
    return { kind: "absent" };
  });
  await expect(anchors.look(100, stop.signal)).rejects.toThrow("stopped");
  await anchors.look(100, signal);
  expect(asked).toBeLessThan(50 + 8 + 3);
});

test("a look asks about 500 anchors, the next one about the others; a source without answers is asked eight times", async () => {
  let [asked, isAnswered] = [0, false];
  const { anchors, found } = anchorsOf(underAnchors(501), () => {
    asked++;
    return isAnswered ? { kind: "absent" } : silence;
  });
  const look = async (): Promise<readonly number[]> => {
    await anchors.look(100, signal);
    const counts = [asked, found.length];
    [asked, found.length] = [0, 0];
    return counts;
  };
  expect(await look()).toEqual([8, 0]);
  isAnswered = true;
  expect([await look(), await look(), await look()]).toEqual([
    [500, 500],
    [1, 1],
    [0, 0],
  ]);
});

test("eight anchors that never get an answer hide no others from who follows the chain", async () => {
  const { anchors, found } = anchorsOf(underAnchors(50), (n) => (n > 42 ? silence : { kind: "absent" }));
  for (let look = 0; look < 2; look++) await anchors.look(100, signal);
  expect(found).toHaveLength(42);
});

test("nor from who syncs once and ends: each block another one comes first", async () => {
  const pending = underAnchors(50);
  const seen = new Set<string>();
  for (let tip = 100; tip < 107; tip++) {
    const { anchors, found } = anchorsOf(pending, (n) => (n > 42 ? silence : { kind: "absent" }));
    await anchors.look(tip, signal, { all: true });
    for (const anchor of found) seen.add(anchor);
  }
  expect(seen.size).toBe(42);
});
