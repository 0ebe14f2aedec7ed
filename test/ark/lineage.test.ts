import { expect, test } from "vitest";
import { type Descent, kinshipOf, lineagePoint, rootOf } from "../../ark/lineage.ts";

const txid = (name: string): string => name.repeat(64);
const point = (name: string, vout = 0): string => lineagePoint({ txid: txid(name), vout });
/** A VTXO at the last of these outputs, whose chain spends the others. */
function vtxo(...points: readonly (readonly [string, number])[]): Descent {
  const [name, vout] = points.at(-1) ?? ["", 0];
  return { id: `${txid(name)}:${vout}`, lineage: points.slice(0, -1).map((each) => point(...each)) };
}

const root = ["a", 1] as const;

test.each([
  ["apart", vtxo(["b", 0], ["c", 0]), "under another anchor"],
  ["apart", vtxo(root, ["c", 1]), "beside it in one transaction"],
  ["apart", vtxo(root, ["c", 1], ["e", 0]), "made of what is beside it"],
  ["descendant", vtxo(root), "the anchor's output itself"],
  ["ancestor", vtxo(root, ["c", 0], ["d", 0], ["f", 2]), "made of it, by two hops"],
  ["rival", vtxo(root, ["d", 0]), "made of the same output by another transaction"],
  ["rival", vtxo(root, ["d", 0], ["e", 0]), "made of such a one"],
])("a VTXO is %s to another one: case %#", (expected, other) => {
  const one = vtxo(root, ["c", 0]);
  expect(kinshipOf(one, other)).toBe(expected);
  const mirrored = { ancestor: "descendant", descendant: "ancestor" } as Readonly<Record<string, string>>;
  expect(kinshipOf(other, one)).toBe(mirrored[expected] ?? expected);
  if (expected !== "apart") expect(rootOf(one)).toBe(rootOf(other));
});
