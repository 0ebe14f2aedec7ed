import { expect, test } from "vitest";
import { ancestorIds } from "../../ark/exit.ts";
import { lineageOf, pathOf } from "../../ark/lineage.ts";
import type { Outpoint } from "../../ark/outpoint.ts";
import { type Vtxo, vtxoId } from "../../ark/vtxo.ts";
import { outpointOf } from "../../ark/vtxo-id.ts";
import type { ChainSource } from "../../chain/source.ts";
import { askAnchor, type HangingVtxo } from "../../engine/ask-anchor.ts";
import { Undecided } from "../../engine/undecided.ts";
import { alice, board, bob, destination, pay } from "../ark/payments.ts";

// What is said of a chain below its anchor, with no more of a chain source than its answers.

const hangingOf = (vtxo: Vtxo): HangingVtxo => ({
  path: pathOf({ id: vtxoId(vtxo), lineage: lineageOf(vtxo) }),
  read: async () => vtxo,
});

/** A source that knows the spenders of some outputs, and nothing of outputs of `absent` transactions. */
function sourceOf(spenders: ReadonlyMap<string, string>, absent: ReadonlySet<string>): ChainSource {
  return {
    status: async () => ({ kind: "found", value: { confirmed: true, height: 90, blockHash: "" } }),
    outspend: async (txid: string, vout: number) => {
      if (absent.has(txid)) return { kind: "absent" };
      const spender = spenders.get(`${txid}:${vout}`);
      return { kind: "found", value: spender === undefined ? { spent: false } : { spent: true, txid: spender } };
    },
  } as unknown as ChainSource;
}

const nameOf = ({ txid, vout }: Outpoint): string => `${txid}:${vout}`;

/** A payment, of whose chain the anchor is spent; of that transaction's outputs the source knows nothing. */
function askBelowAbsent() {
  const [vtxo] = pay([{ vtxo: board(alice, 10_000n).vtxo, owner: alice }], [destination(10_000n, bob)]);
  if (vtxo === undefined) throw new Error("expected a payment");
  const { txid } = outpointOf(ancestorIds(vtxo)[0] ?? "");
  const chain = sourceOf(new Map([[nameOf(vtxo.chainAnchor), txid]]), new Set([txid]));
  const context = { chain, signal: new AbortController().signal, confirmations: 1, tipHeight: 100, isOwn: () => false };
  return { txid, asked: askAnchor(vtxo.chainAnchor, async () => [hangingOf(vtxo)], context) };
}

test("a source that knows nothing of what it called a spender says nothing, and only of this VTXO (mailbox.md W-1, W-22)", async () => {
  const { txid, asked } = askBelowAbsent();
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Undecided);
  expect(error).toMatchObject({ code: "ANCHOR_NOT_FOUND", question: "outspend", subject: txid });
});
