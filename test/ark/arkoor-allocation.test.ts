import { describe, expect, it } from "vitest";
import {
  allocateDestinations,
  changePieces,
  checkDustRule,
  checkPartOutputs,
  type Destination,
  isolateDust,
  type PartOutputs,
} from "../../ark/arkoor-allocation.ts";
import { alice, bob, destination, pubkeyPolicy } from "./payments.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

describe("change (arkoor.md §3.2)", () => {
  it.each([
    [0n, 10n, 2, []],
    [10n, 10n, 2, [10n]],
    [9n, 10n, 3, [9n]],
    [11n, 10n, 2, [5n, 6n]],
    [11n, 10n, 1, [11n]],
    [101n, 10n, 3, [33n, 33n, 35n]],
    [2n, 1n, 3, [1n, 1n]],
  ])("of %d when %d was paid, split factor %i: %s", (change, paid, factor, pieces) => {
    expect(changePieces(change, paid, factor)).toEqual(pieces);
  });

  it.each([0, 4, 1.5])("refuses the split factor %d", (factor) => {
    expect(() => changePieces(10n, 1n, factor)).toThrow(refused("OUT_OF_RANGE"));
  });
});

describe("allocation of destinations to inputs (arkoor.md §3.3)", () => {
  it.each([
    [
      [600n, 500n],
      [800n, 300n],
      [[600n], [200n, 300n]],
    ],
    [
      [1000n, 2000n, 1500n],
      [2500n, 2000n],
      [[1000n], [1500n, 500n], [1500n]],
    ],
    [
      [300n, 700n, 500n],
      [500n, 400n, 600n],
      [[300n], [200n, 400n, 100n], [500n]],
    ],
    [[500n], [0n, 500n], [[0n, 500n]]],
    [[500n], [500n, 0n], [[500n]]],
    [
      [500n, 500n],
      [500n, 500n],
      [[500n], [500n]],
    ],
  ])("%s to %s gives %s", (inputs, destinations, parts) => {
    const allocated = allocateDestinations(inputs, toOwners(destinations));
    expect(allocated.map(amounts)).toEqual(parts);
  });

  it("keeps the policy of a destination that is cut", () => {
    const [first, second] = allocateDestinations([600n, 500n], [destination(800n, alice), destination(300n, bob)]);
    expect(first).toEqual([destination(600n, alice)]);
    expect(second).toEqual([destination(200n, alice), destination(300n, bob)]);
  });

  it.each([
    ["ARKOOR_OVERFLOW", [1n], [U64_MAX, 1n]],
    ["ARKOOR_NO_OUTPUTS", [U64_MAX, 1n], []],
    ["ARKOOR_NO_OUTPUTS", [0n], [0n, 0n]],
    ["ARKOOR_OVERFLOW", [U64_MAX, 1n], [1n]],
    ["ARKOOR_UNBALANCED", [10n, 1n], [12n]],
  ])("%s: %s to %s", (code, inputs, destinations) => {
    expect(() => allocateDestinations(inputs, toOwners(destinations))).toThrow(refused(code));
  });
});

describe("dust isolation (arkoor.md §3.4)", () => {
  it.each([
    ["row 1, no dust", [330n, 5000n], [330n, 5000n], []],
    ["row 1, only dust", [329n, 1n], [329n, 1n], []],
    ["row 2", [660n, 170n, 170n], [660n], [170n, 170n]],
    ["row 2 at its limit", [660n, 165n, 165n], [660n], [165n, 165n]],
    ["row 2, in order", [170n, 660n, 170n, 900n], [660n, 900n], [170n, 170n]],
    ["row 3", [400n, 100n, 100n], [400n, 100n, 100n], []],
    ["row 3 at its limit", [659n, 100n], [659n, 100n], []],
    ["row 4", [900n, 100n], [670n], [230n, 100n]],
    ["row 4, two dust outputs", [800n, 100n, 100n], [670n], [130n, 100n, 100n]],
    ["row 4 at its limit", [660n, 1n], [331n], [329n, 1n]],
    ["row 4, a lender that is left with 330", [560n, 400n, 100n], [330n, 400n], [230n, 100n]],
    ["row 4, the first that can lend", [331n, 100n, 700n, 800n], [331n, 470n, 800n], [230n, 100n]],
    ["row 5 reorders", [100n, 400n, 400n], [400n, 400n, 100n], []],
    ["row 5, dust last already", [330n, 330n, 329n], [330n, 330n, 329n], []],
  ])("%s: %s", (_, list, normal, isolated) => {
    const outputs = isolateDust(toOwners(list));
    expect(amounts(outputs.normal)).toEqual(normal);
    expect(amounts(outputs.isolated)).toEqual(isolated);
    expect(() => checkDustRule(outputs)).not.toThrow();
  });

  it("gives the borrowed piece the policy of its lender", () => {
    const { isolated } = isolateDust([destination(100n, bob), destination(900n, alice)]);
    expect(isolated).toEqual([destination(230n, alice), destination(100n, bob)]);
  });

  it("reduces one output only, even if the caller lists the same object twice", () => {
    const twice = destination(900n, alice);
    const { normal } = isolateDust([twice, twice, destination(100n, bob)]);
    expect(amounts(normal)).toEqual([670n, 900n]);
  });
});

describe("the outputs of a part", () => {
  const many = (count: number): Destination[] => Array.from({ length: count }, () => destination(330n, alice));

  it.each<[string, bigint, PartOutputs]>([
    ["ARKOOR_OVERFLOW", 0n, { normal: toOwners([U64_MAX, 1n]), isolated: [] }],
    ["ARKOOR_OVERFLOW", 0n, { normal: toOwners([1n]), isolated: toOwners([U64_MAX]) }],
    ["ARKOOR_UNBALANCED", 999n, { normal: [], isolated: toOwners([1000n]) }],
    ["ARKOOR_NO_OUTPUTS", 100n, { normal: [], isolated: toOwners([100n]) }],
    ["ARKOOR_TOO_MANY_OUTPUTS", 256n * 330n, { normal: many(256), isolated: [] }],
    ["ARKOOR_TOO_MANY_OUTPUTS", 257n * 330n, { normal: many(1), isolated: many(256) }],
    ["ARKOOR_TOO_MANY_OUTPUTS", 256n * 330n, { normal: many(255), isolated: many(1) }],
    ["ARKOOR_DUST", 659n, { normal: many(1), isolated: toOwners([329n]) }],
  ])("are refused in the order of arkoor.md §3.4: %s", (code, input, outputs) => {
    expect(() => checkPartOutputs(input, outputs)).toThrow(refused(code));
  });

  it("may be 255, or 254 and 255 behind the isolation output", () => {
    expect(() => checkPartOutputs(255n * 330n, { normal: many(255), isolated: [] })).not.toThrow();
    expect(() => checkPartOutputs(509n * 330n, { normal: many(254), isolated: many(255) })).not.toThrow();
  });

  it.each([
    [[329n, 660n], [], "ARKOOR_DUST"],
    [[5000n], [100n, 660n], "ARKOOR_DUST"],
    [[329n, 659n], [100n, 659n], null],
    [[330n, 660n], [5n, 400n], null],
  ])("may mix no dust with what could be split: %s and %s", (normal, isolated, code) => {
    const check = (): void => checkDustRule({ normal: toOwners(normal), isolated: toOwners(isolated) });
    if (code === null) expect(check).not.toThrow();
    else expect(check).toThrow(refused(code));
  });
});

function toOwners(list: readonly bigint[]): Destination[] {
  return list.map((amountSats, i) => ({ amountSats, policy: pubkeyPolicy(i % 2 === 0 ? alice : bob) }));
}

function amounts(destinations: readonly Destination[]): bigint[] {
  return destinations.map(({ amountSats }) => amountSats);
}

function refused(code: string): unknown {
  return expect.objectContaining({ code });
}
