import { describe, expect, it } from "vitest";
import {
  boardFee,
  estimateLightningSendFee,
  lightningReceiveFee,
  lightningSendFee,
  offboardFee,
  type PpmExpiryFee,
  ppmExpiryFee,
  refreshFee,
} from "../../ark/fees.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** A table from pairs of threshold and rate. */
function table(...entries: readonly (readonly [number, bigint])[]): PpmExpiryFee[] {
  return entries.map(([expiryBlocksThreshold, ppm]) => ({ expiryBlocksThreshold, ppm }));
}

/** Inputs from pairs of amount and expiry height. */
function inputs(...pairs: readonly (readonly [bigint, number])[]) {
  return pairs.map(([amountSats, expiryHeight]) => ({ amountSats, expiryHeight }));
}

describe("the check rows of lightning.md §5", () => {
  const two = table([1008, 2000n], [2016, 4000n]);

  it("charges everything without a cap", () => {
    expect(ppmExpiryFee(two, inputs([900n, 1100], [900n, 1200], [1300n, 2500]), 0)).toBe(9n);
  });

  it("charges the cheapest first up to the cap", () => {
    expect(ppmExpiryFee(two, inputs([900n, 1100], [900n, 1200], [900n, 2500]), 0, 1500n)).toBe(3n);
  });

  it("charges five VTXOs of three rates up to a cap", () => {
    const three = table([0, 2000n], [1008, 4000n], [2016, 5000n]);
    const five = inputs([27_422n, 454], [102_408n, 455], [68_456n, 1122], [1_320n, 2046], [10_099n, 2395]);
    expect(ppmExpiryFee(three, five, 0, 208_246n)).toBe(584n);
    expect(ppmExpiryFee(three, five.toReversed(), 0, 208_246n)).toBe(584n);
  });

  it("takes 121 sat of an invoice of 10,400", () => {
    expect(lightningReceiveFee({ baseFeeSats: 100n, ppm: 2000n }, 10_400n)).toBe(121n);
  });
});

describe("the fee that grows with the life left", () => {
  it("rounds the total up, once", () => {
    const rates = table([0, 1n], [10, 2n]);
    expect(ppmExpiryFee(rates, inputs([1n, 5], [1n, 15]), 0)).toBe(1n);
    expect(ppmExpiryFee(rates, inputs([1_000_000n, 5]), 0)).toBe(1n);
    expect(ppmExpiryFee(rates, inputs([1_000_001n, 5]), 0)).toBe(2n);
  });

  it("applies an entry from its threshold on, counted from the tip", () => {
    const rates = table([97, 1_000_000n]);
    expect(ppmExpiryFee(rates, inputs([50n, 196]), 100)).toBe(0n);
    expect(ppmExpiryFee(rates, inputs([50n, 197]), 100)).toBe(50n);
  });

  it("takes the last of equal thresholds", () => {
    expect(ppmExpiryFee(table([10, 0n], [10, 1_000_000n]), inputs([7n, 10]), 0)).toBe(7n);
  });

  it("counts an expired VTXO as one without blocks left", () => {
    expect(ppmExpiryFee(table([0, 1_000_000n]), inputs([7n, 10]), 500)).toBe(7n);
  });

  it("lets free inputs use up the cap first", () => {
    const rates = table([100, 1_000_000n]);
    expect(ppmExpiryFee(rates, inputs([30n, 50], [70n, 500]), 0, 60n)).toBe(30n);
  });

  it("is 0 without inputs and without a table", () => {
    expect(ppmExpiryFee(table([0, 5n]), [], 0)).toBe(0n);
    expect(ppmExpiryFee([], inputs([7n, 10]), 0)).toBe(0n);
  });

  it("refuses a bucket beyond 64 bits", () => {
    const tooMuch = inputs([U64_MAX, 10], [1n, 10]);
    expect(() => ppmExpiryFee(table([0, 1n]), tooMuch, 0)).toThrow(expect.objectContaining({ code: "ARKOOR_OVERFLOW" }));
  });
});

describe("the schedules of lightning.md §5.2", () => {
  const rates = table([0, 0n], [97, 1000n], [199, 4000n], [2161, 8000n]);
  const send = { minFeeSats: 10n, baseFeeSats: 75n, ppmExpiryTable: rates };

  it("sends for base and rate, capped at the payment, but never below the minimum", () => {
    expect(lightningSendFee(send, 10_000n, inputs([100_000n, 300]), 0)).toBe(75n + 40n);
    expect(lightningSendFee({ ...send, minFeeSats: 200n }, 10_000n, inputs([100_000n, 300]), 0)).toBe(200n);
  });

  it("estimates a send with the highest rate", () => {
    expect(estimateLightningSendFee(send, 10_000n)).toBe(75n + 80n);
  });

  it("boards for base and rate, but never below the minimum", () => {
    const board = { minFeeSats: 330n, baseFeeSats: 100n, ppm: 1000n };
    expect(boardFee(board, 10_000n)).toBe(330n);
    expect(boardFee(board, 1_000_001n)).toBe(1_101n);
  });

  it("offboards for base, weight and rate, the latter two rounded up on their own", () => {
    const offboard = { baseFeeSats: 200n, fixedAdditionalVbytes: 212n, ppmExpiryTable: rates };
    const output = { amountSats: 50_001n, scriptLength: 34, feeRateSatsPerKwu: 251n };
    // 251 × 984 / 1000 = 246.984 and 50,001 × 1000 / 10⁶ = 50.001.
    expect(offboardFee(offboard, output, inputs([90_000n, 100]), 0)).toBe(200n + 247n + 51n);
  });

  it("refreshes for base and rate of everything", () => {
    expect(refreshFee({ baseFeeSats: 150n, ppmExpiryTable: rates }, inputs([10_000n, 100], [10_000n, 5000]), 0)).toBe(240n);
  });

  it("refuses a negative amount", () => {
    expect(() => lightningReceiveFee({ baseFeeSats: 0n, ppm: 1n }, -1n)).toThrow(
      expect.objectContaining({ code: "OUT_OF_RANGE" }),
    );
  });
});
