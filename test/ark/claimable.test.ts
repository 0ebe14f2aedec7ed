import { expect, test } from "vitest";
import { isClaimable } from "../../ark/claimable.ts";
import { decodeHex } from "../../ark/hex.ts";
import { decodeVtxo, type Vtxo } from "../../ark/vtxo.ts";
import { readVectors } from "../vectors.ts";
import { alice, board, bob, carol, destination, pay } from "./payments.ts";

const claimable = (vtxo: Vtxo, isOwn: boolean) =>
  vtxo.genesis.map(({ transition }) => isClaimable(transition, vtxo, () => isOwn));

const generated: { sets: { vtxos: { name: string; vtxo: string }[] }[] } = JSON.parse(readVectors("bark-generated.json"));
const made = generated.sets.flatMap(({ vtxos }) => vtxos.map(({ name, vtxo }) => ({ name, vtxo: decodeVtxo(decodeHex(vtxo)) })));

test("of a VTXO that the reference made former owners can take their coins, but no tree's output nor a checkpoint", () => {
  for (const { name, vtxo } of made) {
    const kinds = vtxo.genesis.map(({ transition }) => transition.kind);
    const first = kinds.indexOf("arkoor");
    // Each hop appends two items: one spends a coin, the other one its checkpoint (vtxo.md §5.2).
    const expected = kinds.map((kind, index) => kind === "arkoor" && (index - first) % 2 === 0);
    expect(claimable(vtxo, false), name).toEqual(expected);
  }
});

test("the wallet takes nothing from itself but an HTLC, of which its server has a part", () => {
  const taken = (kind: string) => [
    ...new Set(made.filter(({ name }) => name.startsWith(kind)).map(({ vtxo }) => claimable(vtxo, true).join())),
  ];
  expect(taken("htlc-send")).toEqual(["false,false,false"]);
  expect(taken("arkoor-board")).toEqual(["false,false,false,true,false"]);
  expect(taken("arkoor-round")).toEqual(["false,false,false,true,false"]);
});

test("what was isolated as dust hangs from a checkpoint, what was made without one from the coin itself", () => {
  const coin = { vtxo: board(alice, 1_000n).vtxo, owner: alice };
  const isolated = pay([coin], [destination(900n, bob), destination(100n, carol)]);
  expect(isolated.map(({ genesis }) => genesis.length)).toEqual([3, 3, 3]);
  for (const vtxo of isolated) expect(claimable(vtxo, false)).toEqual([false, true, false]);
  const direct = pay([coin], [destination(900n, bob), destination(100n, carol)], "direct");
  expect(direct.map((vtxo) => claimable(vtxo, false))).toEqual([
    [false, true],
    [false, true, false],
    [false, true, false],
  ]);
});

test("a coin of several, or of the server alone, is not taken for a checkpoint", () => {
  const [payment] = pay([{ vtxo: board(alice, 1_000n).vtxo, owner: alice }], [destination(1_000n, bob)]);
  const transition = payment?.genesis[2]?.transition;
  if (payment === undefined || transition?.kind !== "arkoor") throw new Error("expected an arkoor item");
  for (const clientCosigners of [[], [alice.publicKey, bob.publicKey], [bob.publicKey]]) {
    expect(isClaimable({ ...transition, clientCosigners }, payment, () => true)).toBe(true);
  }
});
