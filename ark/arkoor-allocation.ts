/** From a payment to the outputs of each input: change, allocation and dust isolation (arkoor.md §3). */
import { ArkError } from "./errors.ts";
import type { UserPolicy } from "./policy.ts";

/** Outputs below this many sats are dust (arkoor.md §3.4). */
export const DUST_LIMIT_SATS = 330n;

/** Most normal, and most isolated, outputs of one part. */
const MAX_PART_OUTPUTS = 255;

const MAX_CHANGE_PIECES = 3;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** An amount and who shall get it. */
export interface Destination {
  readonly amountSats: bigint;
  readonly policy: UserPolicy;
}

/** The outputs of one part: those with a transaction of their own, and those behind the fan-out. */
export interface PartOutputs {
  readonly normal: readonly Destination[];
  readonly isolated: readonly Destination[];
}

/**
 * The pieces in which change comes back (arkoor.md §3.2). A piece is never 0 sat.
 *
 * @param splitFactor The server's `change_vtxo_split_factor`, 1 … 3.
 * @throws ArkError `OUT_OF_RANGE`
 */
export function changePieces(changeSats: bigint, paidSats: bigint, splitFactor = 2): bigint[] {
  if (!Number.isInteger(splitFactor) || splitFactor < 1 || splitFactor > MAX_CHANGE_PIECES) {
    throw new ArkError("OUT_OF_RANGE", `expected a split factor of 1 … ${MAX_CHANGE_PIECES}, got ${splitFactor}`);
  }
  if (changeSats < 0n) throw new ArkError("OUT_OF_RANGE", `expected change of at least 0 sat, got ${changeSats}`);
  if (changeSats === 0n) return [];
  if (changeSats <= paidSats) return [changeSats];
  const count = changeSats < BigInt(splitFactor) ? changeSats : BigInt(splitFactor);
  const piece = changeSats / count;
  const pieces = Array.from({ length: Number(count) - 1 }, () => piece);
  return [...pieces, changeSats - piece * (count - 1n)];
}

/**
 * Splits destinations over inputs in order, cutting where an input ends (arkoor.md §3.3).
 *
 * @param inputs Amounts in sats.
 * @returns The destinations of each input, in input order.
 * @throws ArkError `ARKOOR_OVERFLOW`, `ARKOOR_NO_OUTPUTS`, `ARKOOR_UNBALANCED`
 */
export function allocateDestinations(inputs: readonly bigint[], destinations: readonly Destination[]): Destination[][] {
  const paid = sumSats(destinations.map((destination) => destination.amountSats));
  if (paid === 0n) throw new ArkError("ARKOOR_NO_OUTPUTS", "expected destinations of more than 0 sat, got none");
  const available = sumSats(inputs);
  if (available !== paid) throw unbalanced(available, paid);

  const queue = destinations.map(({ amountSats, policy }) => ({ amountSats, policy }));
  return inputs.map((input) => {
    const part: Destination[] = [];
    let rest = input;
    while (rest > 0n) {
      const next = queue[0];
      if (next === undefined) throw unbalanced(available, paid);
      const amountSats = next.amountSats < rest ? next.amountSats : rest;
      part.push({ amountSats, policy: next.policy });
      rest -= amountSats;
      next.amountSats -= amountSats;
      if (next.amountSats === 0n) queue.shift();
    }
    return part;
  });
}

/** Separates dust from the other outputs of one part where that helps (the table of arkoor.md §3.4). */
export function isolateDust(destinations: readonly Destination[]): PartOutputs {
  const dust = destinations.filter(isDust);
  const solid = destinations.filter((destination) => !isDust(destination));
  const unchanged = { normal: destinations, isolated: [] };
  if (dust.length === 0 || solid.length === 0) return unchanged;

  const dustTotal = sumSats(dust.map((destination) => destination.amountSats));
  if (dustTotal >= DUST_LIMIT_SATS) return { normal: solid, isolated: dust };
  const solidTotal = sumSats(solid.map((destination) => destination.amountSats));
  if (solidTotal < 2n * DUST_LIMIT_SATS) return unchanged;

  const deficit = DUST_LIMIT_SATS - dustTotal;
  const lenderAt = solid.findIndex((destination) => destination.amountSats - deficit >= DUST_LIMIT_SATS);
  const lender = solid[lenderAt];
  if (lender === undefined) return { normal: [...solid, ...dust], isolated: [] };
  return {
    normal: solid.with(lenderAt, { amountSats: lender.amountSats - deficit, policy: lender.policy }),
    isolated: [{ amountSats: deficit, policy: lender.policy }, ...dust],
  };
}

/**
 * Checks the outputs of a part, as client and server both do (arkoor.md §3.4).
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, `ARKOOR_UNBALANCED`, `ARKOOR_NO_OUTPUTS`, `ARKOOR_TOO_MANY_OUTPUTS`, `ARKOOR_DUST`,
 *   tested in this order
 */
export function checkPartOutputs(inputSats: bigint, outputs: PartOutputs): void {
  const { normal, isolated } = outputs;
  const isolatedSats = sumSats(isolated.map((destination) => destination.amountSats));
  const total = sumSats([...normal.map((destination) => destination.amountSats), isolatedSats]);
  if (total !== inputSats) throw unbalanced(inputSats, total);
  if (normal.length === 0) throw new ArkError("ARKOOR_NO_OUTPUTS", "expected at least one normal output, got none");
  // A genesis item counts its outputs in one byte, and the isolation output is one of them.
  const counted = normal.length + (isolated.length > 0 ? 1 : 0);
  if (counted > MAX_PART_OUTPUTS || isolated.length > MAX_PART_OUTPUTS) {
    throw new ArkError(
      "ARKOOR_TOO_MANY_OUTPUTS",
      `expected at most ${MAX_PART_OUTPUTS} outputs a transaction, got ${counted} and ${isolated.length}`,
    );
  }
  if (isolated.length > 0 && isolatedSats < DUST_LIMIT_SATS) {
    throw new ArkError("ARKOOR_DUST", `expected isolated outputs of at least ${DUST_LIMIT_SATS} sat, got ${isolatedSats}`);
  }
}

/**
 * The server's dust rule: no list holds both an amount below 330 and one of 660 or more (arkoor.md §10.1 row 7).
 *
 * @throws ArkError `ARKOOR_DUST`
 */
export function checkDustRule(outputs: PartOutputs): void {
  for (const list of [outputs.normal, outputs.isolated]) {
    const splittable = list.find((destination) => destination.amountSats >= 2n * DUST_LIMIT_SATS);
    const dust = list.find(isDust);
    if (splittable !== undefined && dust !== undefined) {
      throw new ArkError(
        "ARKOOR_DUST",
        `expected dust to be isolated, got ${dust.amountSats} sat beside ${splittable.amountSats} sat`,
      );
    }
  }
}

/**
 * Sum of amounts, checked to fit 64 bits.
 *
 * @throws ArkError `ARKOOR_OVERFLOW`, and `OUT_OF_RANGE` on a negative amount
 */
export function sumSats(amounts: readonly bigint[]): bigint {
  let sum = 0n;
  for (const amount of amounts) {
    if (amount < 0n) throw new ArkError("OUT_OF_RANGE", `expected an amount of at least 0 sat, got ${amount}`);
    sum += amount;
    if (sum > U64_MAX) throw new ArkError("ARKOOR_OVERFLOW", `expected a sum of at most 2^64 − 1 sat, got ${sum}`);
  }
  return sum;
}

function isDust(destination: Destination): boolean {
  return destination.amountSats < DUST_LIMIT_SATS;
}

function unbalanced(inputSats: bigint, outputSats: bigint): ArkError {
  return new ArkError("ARKOOR_UNBALANCED", `expected outputs of ${inputSats} sat, got ${outputSats}`);
}
