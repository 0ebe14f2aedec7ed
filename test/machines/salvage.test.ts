import { expect, test } from "vitest";
import { salvageMachine } from "../../machines/salvage.machine.ts";
import { step } from "../../machines/step.ts";
import { given, taken, testTable } from "./drive.ts";
import { idOf, itemOf } from "./fixtures.ts";

const salvaged = { type: "wallet.salvaged", keptSeq: 7n, lostTo: 9n, damage: ["STORE_BAD_FRAME"], keyGap: 20, atMs: 0 } as const;
const unspent = { type: "vtxos.checked", unspent: [idOf(1)], withdrawn: [], atMs: 0 } as const;
const withdrawn = { id: idOf(2), amountSats: 5n, key: "k.7", item: itemOf(2) } as const;
const spent = { type: "vtxos.checked", unspent: [], withdrawn: [withdrawn], atMs: 0 } as const;
const reconciled = { type: "wallet.reconciled", atMs: 0 } as const;

testTable(
  salvageMachine,
  {
    Whole: given(salvageMachine),
    Reconciling: given(salvageMachine, salvaged),
    Reconciled: given(salvageMachine, salvaged, reconciled),
  },
  { salvaged, unspent, spent, reconciled },
  {
    Whole: { salvaged: "Reconciling", unspent: "Whole", spent: "Whole: holdItem" },
    Reconciling: { salvaged: "Reconciling", unspent: "Reconciling", spent: "Reconciling: holdItem", reconciled: "Reconciled" },
    Reconciled: { salvaged: "Reconciling", unspent: "Reconciled", spent: "Reconciled: holdItem" },
  },
);

test("what is not unspent is held with its bytes, and what the answers said is forgotten at the end", () => {
  const { next, effects } = taken(step(salvageMachine, given(salvageMachine, salvaged), spent));
  expect(effects).toEqual([{ type: "holdItem", params: { key: "k.7", item: itemOf(2) } }]);
  expect(next.context).toMatchObject({ keptSeq: 7n, unspent: [], withdrawn: [{ id: idOf(2), amountSats: 5n }] });
  expect(taken(step(salvageMachine, next, reconciled)).next.context).toMatchObject({ keptSeq: 7n, withdrawn: [] });
});
