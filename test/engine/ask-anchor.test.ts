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

const nameOf = ({ txid, vout }: Outpoint): string => `${txid}:${vout}`;

/** A payment of which the payer brings the coin on chain, asked about at a source that says these things of that transaction. */
function askBelow({ isStatusKnown, isOutputKnown }: { readonly isStatusKnown: boolean; readonly isOutputKnown: boolean }) {
  const [vtxo] = pay([{ vtxo: board(alice, 10_000n).vtxo, owner: alice }], [destination(10_000n, bob)]);
  if (vtxo === undefined) throw new Error("expected a payment");
  const { txid } = outpointOf(ancestorIds(vtxo)[0] ?? "");
  const confirmed = { kind: "found", value: { confirmed: true, height: 90, blockHash: "" } };
  const chain = {
    status: async (asked: string) => (asked === txid && !isStatusKnown ? { kind: "absent" } : confirmed),
    outspend: async (asked: string, vout: number) => {
      if (nameOf({ txid: asked, vout }) === nameOf(vtxo.chainAnchor)) return { kind: "found", value: { spent: true, txid } };
      return isOutputKnown ? { kind: "found", value: { spent: false } } : { kind: "absent" };
    },
  } as unknown as ChainSource;
  const context = { chain, signal: new AbortController().signal, confirmations: 1, tipHeight: 100, isOwn: () => false };
  return { txid, asked: askAnchor(vtxo.chainAnchor, async () => [hangingOf(vtxo)], context) };
}

test.each([
  ["the output", { isOutputKnown: false, isStatusKnown: true }],
  ["the transaction, so that all of it counts as unspent", { isOutputKnown: true, isStatusKnown: false }],
])(
  "a source that named a spender and does not know %s says nothing, and only of this VTXO (mailbox.md W-1, W-22)",
  async (_, known) => {
    const { txid, asked } = askBelow(known);
    const error = await asked.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Undecided);
    expect(error).toMatchObject({ code: "ANCHOR_NOT_FOUND", question: "outspend", subject: txid });
  },
);

test("one that knows both says that a former owner can take it", async () => {
  const { asked } = askBelow({ isOutputKnown: true, isStatusKnown: true });
  expect((await asked).breaks).toMatchObject([{ code: "ANCHOR_SPENT" }]);
});
