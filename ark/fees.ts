/** What the server charges for its services, exactly as it computes it (lightning.md §5). */
import { sumSats } from "./arkoor-allocation.ts";
import { ArkError } from "./errors.ts";

/** A rate that depends on how long a VTXO still lives. */
export interface PpmExpiryFee {
  /** Blocks until expiry from which on the entry applies. */
  readonly expiryBlocksThreshold: number;
  /** Millionths of the amount. */
  readonly ppm: bigint;
}

/** A fee of a flat part and one that depends on the amount alone. */
export interface AmountFee {
  readonly baseFeeSats: bigint;
  readonly ppm: bigint;
}

/** What the server charges. Every table is non-decreasing in threshold and rate (mailbox.md §1.3, lightning.md §5.2). */
export interface FeeSchedule {
  readonly board: AmountFee & { readonly minFeeSats: bigint };
  readonly offboard: {
    readonly baseFeeSats: bigint;
    readonly fixedAdditionalVbytes: bigint;
    readonly ppmExpiryTable: readonly PpmExpiryFee[];
  };
  readonly refresh: { readonly baseFeeSats: bigint; readonly ppmExpiryTable: readonly PpmExpiryFee[] };
  readonly lightningReceive: AmountFee;
  readonly lightningSend: {
    readonly minFeeSats: bigint;
    readonly baseFeeSats: bigint;
    readonly ppmExpiryTable: readonly PpmExpiryFee[];
  };
}

/** What a fee looks at; a caller's own type may carry more. */
export interface FeeInput {
  readonly amountSats: bigint;
  readonly expiryHeight: number;
}

/** What an offboarding output costs to put on chain, and what it pays. */
export interface OffboardOutput {
  readonly amountSats: bigint;
  /** Bytes of its script. */
  readonly scriptLength: number;
  /** Price of 1,000 weight units, in sats. */
  readonly feeRateSatsPerKwu: bigint;
}

const MILLION = 1_000_000n;

/**
 * Fee of a Lightning payment of an amount (without the fee) with these inputs.
 *
 * @param tipHeight The height at which the server will look; a tip ahead of its own can yield too little.
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function lightningSendFee(
  fees: FeeSchedule["lightningSend"],
  amountSats: bigint,
  inputs: readonly FeeInput[],
  tipHeight: number,
): bigint {
  const byExpiry = ppmExpiryFee(fees.ppmExpiryTable, inputs, tipHeight, amountSats);
  return atLeast(fees.minFeeSats, sumSats([fees.baseFeeSats, byExpiry]));
}

/**
 * What a Lightning payment would cost at most, for want of inputs: as from one VTXO that never expires.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function estimateLightningSendFee(fees: FeeSchedule["lightningSend"], amountSats: bigint): bigint {
  return lightningSendFee(fees, amountSats, [{ amountSats, expiryHeight: Number.POSITIVE_INFINITY }], 0);
}

/**
 * Fee of a payment received over Lightning, out of the invoice's amount.
 *
 * What is left must be more than 0 sat, and may be dust: the caller checks it.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function lightningReceiveFee(fees: FeeSchedule["lightningReceive"], amountSats: bigint): bigint {
  return amountFee(fees, amountSats);
}

/**
 * Fee of boarding an amount.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function boardFee(fees: FeeSchedule["board"], amountSats: bigint): bigint {
  return atLeast(fees.minFeeSats, amountFee(fees, amountSats));
}

/**
 * Fee of offboarding with these inputs. The weight is 4 units for each byte of the script and each virtual byte that the
 * server adds.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function offboardFee(
  fees: FeeSchedule["offboard"],
  output: OffboardOutput,
  inputs: readonly FeeInput[],
  tipHeight: number,
): bigint {
  const weight = 4n * (fees.fixedAdditionalVbytes + BigInt(output.scriptLength));
  const onChain = divideUp(output.feeRateSatsPerKwu * weight, 1_000n);
  return sumSats([fees.baseFeeSats, onChain, ppmExpiryFee(fees.ppmExpiryTable, inputs, tipHeight, output.amountSats)]);
}

/**
 * Fee of refreshing these VTXOs.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function refreshFee(fees: FeeSchedule["refresh"], inputs: readonly FeeInput[], tipHeight: number): bigint {
  return sumSats([fees.baseFeeSats, ppmExpiryFee(fees.ppmExpiryTable, inputs, tipHeight)]);
}

/**
 * The fee that grows with the life that is left in the inputs (lightning.md §5.1): each amount is charged with the rate of
 * the last threshold that its blocks left reach, cheapest first up to the cap, and the total is rounded up once. So the
 * order of the inputs does not matter.
 *
 * @param table Non-decreasing in both columns.
 * @param capSats Most that is charged for; without it, everything is.
 * @throws ArkError `ARKOOR_OVERFLOW`, `OUT_OF_RANGE`
 */
export function ppmExpiryFee(
  table: readonly PpmExpiryFee[],
  inputs: readonly FeeInput[],
  tipHeight: number,
  capSats?: bigint,
): bigint {
  let rest = capSats;
  let total = 0n;
  // Inputs below the first threshold are free, and use up the cap before all others.
  for (let entry = -1; entry < table.length; entry++) {
    const bucket = inputs.filter((input) => bucketOf(table, input, tipHeight) === entry);
    let charged = sumSats(bucket.map((input) => input.amountSats));
    if (rest !== undefined) {
      charged = charged < rest ? charged : rest;
      rest -= charged;
    }
    total += charged * (table[entry]?.ppm ?? 0n);
  }
  return sumSats([divideUp(total, MILLION)]);
}

/** Position of the last entry whose threshold the input reaches; −1 when it reaches none. */
function bucketOf(table: readonly PpmExpiryFee[], input: FeeInput, tipHeight: number): number {
  const blocksLeft = Math.max(0, input.expiryHeight - tipHeight);
  return table.findLastIndex((entry) => entry.expiryBlocksThreshold <= blocksLeft);
}

function amountFee(fees: AmountFee, amountSats: bigint): bigint {
  return sumSats([fees.baseFeeSats, divideUp(sumSats([amountSats]) * fees.ppm, MILLION)]);
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  if (dividend < 0n) throw new ArkError("OUT_OF_RANGE", `expected a fee of at least 0, got ${dividend}`);
  return (dividend + divisor - 1n) / divisor;
}

function atLeast(least: bigint, fee: bigint): bigint {
  return fee < least ? least : fee;
}
