import type { FeeInput, FeeSchedule } from "../ark/fees.ts";

const MILLION = 1_000_000n;

/**
 * The fee of a payment as release 0.6.0 charged it: VTXO by VTXO in the order given, each up to what the amount leaves, and
 * rounded once (lightning.md §13.3). It is the fee of later builds where the soonest to expire come first (S11).
 */
export function lightningSendFeeInOrder(
  { minFeeSats, baseFeeSats, ppmExpiryTable }: FeeSchedule["lightningSend"],
  amountSats: bigint,
  inputs: readonly FeeInput[],
  tipHeight: number,
): bigint {
  let rest = amountSats;
  let millionths = 0n;
  for (const input of inputs) {
    const charged = input.amountSats < rest ? input.amountSats : rest;
    rest -= charged;
    const blocksLeft = Math.max(0, input.expiryHeight - tipHeight);
    const rate = ppmExpiryTable.findLast(({ expiryBlocksThreshold }) => expiryBlocksThreshold <= blocksLeft);
    millionths += charged * (rate?.ppm ?? 0n);
  }
  const feeSats = baseFeeSats + (millionths + MILLION - 1n) / MILLION;
  return feeSats < minFeeSats ? minFeeSats : feeSats;
}
