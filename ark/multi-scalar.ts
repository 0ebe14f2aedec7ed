import { Point } from "@noble/secp256k1";

/** A public multiple of a point. */
export interface Term {
  /** 0 … n − 1. */
  readonly scalar: bigint;
  readonly point: Point;
}

const WINDOW_BITS = 4;
const WINDOWS = 256 / WINDOW_BITS;

/** Bounds the tables that are held at once; the doublings saved by larger batches no longer count. */
const BATCH = 64;

/**
 * Σ scalar·point in variable time, sharing the doublings between the terms (Straus's method with 4-bit windows). The
 * key lists of a round tree hold a key for each of its users: term by term they take five times as long.
 */
export function sumOfMultiples(terms: readonly Term[]): Point {
  let sum = Point.ZERO;
  const many: Term[] = [];
  for (const term of terms) {
    // Half of a two-key aggregate, and all repetitions of the second key.
    if (term.scalar === 1n) sum = sum.add(term.point);
    else many.push(term);
  }
  for (let start = 0; start < many.length; start += BATCH) sum = sum.add(sumOfBatch(many.slice(start, start + BATCH)));
  return sum;
}

function sumOfBatch(terms: readonly Term[]): Point {
  const tables = terms.map(({ point }) => smallMultiples(point));
  const digits = terms.map(({ scalar }) => windows(scalar));
  let sum = Point.ZERO;
  for (let window = WINDOWS - 1; window >= 0; window--) {
    if (!sum.is0()) for (let i = 0; i < WINDOW_BITS; i++) sum = sum.double();
    for (const [i, table] of tables.entries()) {
      const multiple = table[digits[i]?.[window] ?? 0];
      if (multiple !== undefined) sum = sum.add(multiple);
    }
  }
  return sum;
}

/** The point times 1 … 15, at these indices; nothing at 0. */
function smallMultiples(point: Point): (Point | undefined)[] {
  const multiples: (Point | undefined)[] = [undefined];
  let multiple = point;
  for (let factor = 1; factor < 2 ** WINDOW_BITS; factor++) {
    multiples.push(multiple);
    multiple = multiple.add(point);
  }
  return multiples;
}

/** The digits of a scalar in base 16, the least significant first. */
function windows(scalar: bigint): number[] {
  const digits: number[] = [];
  for (let rest = scalar; rest > 0n; rest >>= BigInt(WINDOW_BITS)) digits.push(Number(rest % BigInt(2 ** WINDOW_BITS)));
  return digits;
}
