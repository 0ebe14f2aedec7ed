import { Point } from "@noble/secp256k1";
import fc from "fast-check";
import { expect, it } from "vitest";
import { GROUP_ORDER } from "../ark/crypto.ts";
import { sumOfMultiples } from "../ark/multi-scalar.ts";
import { propertyOptions } from "./options.ts";

const scalar = fc.oneof(
  fc.bigInt({ min: 0n, max: GROUP_ORDER - 1n }),
  fc.constantFrom(0n, 1n, 2n, 15n, 16n, 1n << 255n, GROUP_ORDER - 2n, GROUP_ORDER - 1n),
);
/** Few points, both signs and infinity, so that sums repeat, cancel and double. */
const point = fc.integer({ min: -3, max: 3 }).map((factor) => {
  const multiple = Point.BASE.multiplyUnsafe(BigInt(Math.abs(factor)));
  return factor < 0 ? multiple.negate() : multiple;
});

it("the sum is the one that the library's own multiplication gives", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ scalar, point }), { maxLength: 6 }), fc.constantFrom(1, 1, 1, 40), (few, times) => {
      const terms = Array.from({ length: times }, () => few).flat();
      const expected = terms.reduce((sum, term) => sum.add(term.point.multiplyUnsafe(term.scalar)), Point.ZERO);
      expect(sumOfMultiples(terms).equals(expected)).toBe(true);
    }),
    propertyOptions(20),
  );
});
