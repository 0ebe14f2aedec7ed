import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FeeInput, lightningSendFee, type PpmExpiryFee, ppmExpiryFee } from "../ark/fees.ts";
import { lightningSendFeeInOrder } from "../simulator/older-fees.ts";
import { propertyOptions } from "./options.ts";

const blocks = fc.nat({ max: 3_000 });
const input = fc.record<FeeInput>({ amountSats: fc.bigInt({ min: 0n, max: 1_000_000n }), expiryHeight: blocks });
const entry = fc.record({ expiryBlocksThreshold: blocks, ppm: fc.bigInt({ min: 0n, max: 20_000n }) });

/** Tables as a server may send them: non-decreasing in both columns. */
const table = fc.array(entry, { maxLength: 5 }).map((entries): PpmExpiryFee[] => {
  const thresholds = entries.map((one) => one.expiryBlocksThreshold).sort((a, b) => a - b);
  const rates = entries.map((one) => one.ppm).sort((a, b) => (a < b ? -1 : 1));
  return thresholds.map((expiryBlocksThreshold, i) => ({ expiryBlocksThreshold, ppm: rates[i] ?? 0n }));
});
const cap = fc.option(fc.bigInt({ min: 0n, max: 5_000_000n }), { nil: undefined });
const order = fc
  .array(input, { maxLength: 8 })
  .chain((inputs) => fc.tuple(fc.constant(inputs), fc.shuffledSubarray(inputs, { minLength: inputs.length })));

describe("a fee by expiry", () => {
  it("does not depend on the order of the inputs", () => {
    fc.assert(
      fc.property(table, order, blocks, cap, (rates, [inputs, shuffled], tip, most) => {
        expect(ppmExpiryFee(rates, shuffled, tip, most)).toBe(ppmExpiryFee(rates, inputs, tip, most));
      }),
      propertyOptions(),
    );
  });

  it("is that of charging sat by sat, the soonest to expire first, and rounding once", () => {
    fc.assert(
      fc.property(table, fc.array(input, { maxLength: 8 }), blocks, cap, (rates, inputs, tip, most) => {
        let rest = most ?? 1n << 64n;
        let millionths = 0n;
        for (const { amountSats, expiryHeight } of inputs.toSorted((a, b) => a.expiryHeight - b.expiryHeight)) {
          const charged = amountSats < rest ? amountSats : rest;
          rest -= charged;
          const reached = rates.filter((rate) => rate.expiryBlocksThreshold <= Math.max(0, expiryHeight - tip));
          millionths += charged * (reached.at(-1)?.ppm ?? 0n);
        }
        const fee = ppmExpiryFee(rates, inputs, tip, most);
        expect(fee * 1_000_000n >= millionths && (fee - 1n) * 1_000_000n < millionths).toBe(true);
      }),
      propertyOptions(),
    );
  });

  it("is that of release 0.6.0 where the soonest to expire come first (lightning.md S11)", () => {
    fc.assert(
      fc.property(
        table,
        fc.array(input, { maxLength: 8 }),
        blocks,
        fc.bigInt({ min: 0n, max: 5_000_000n }),
        (rates, inputs, tip, amount) => {
          const fees = { minFeeSats: 10n, baseFeeSats: 75n, ppmExpiryTable: rates };
          const sorted = inputs.toSorted((a, b) => a.expiryHeight - b.expiryHeight);
          expect(lightningSendFeeInOrder(fees, amount, sorted, tip)).toBe(lightningSendFee(fees, amount, sorted, tip));
        },
      ),
      propertyOptions(),
    );
    const fees = { minFeeSats: 0n, baseFeeSats: 0n, ppmExpiryTable: [{ expiryBlocksThreshold: 100, ppm: 10_000n }] };
    const late = [200, 50].map((expiryHeight) => ({ amountSats: 1_000n, expiryHeight }));
    expect([lightningSendFeeInOrder(fees, 1_000n, late, 0), lightningSendFee(fees, 1_000n, late, 0)]).toEqual([10n, 0n]);
  });

  it("never falls when the tip does", () => {
    fc.assert(
      fc.property(table, fc.array(input, { maxLength: 8 }), blocks, cap, (rates, inputs, tip, most) => {
        expect(ppmExpiryFee(rates, inputs, tip, most) >= ppmExpiryFee(rates, inputs, tip + 7, most)).toBe(true);
      }),
      propertyOptions(),
    );
  });
});
