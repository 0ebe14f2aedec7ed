/** Random numbers from a seed, the same on every run. */
export class Random {
  #state: number;

  /** @param seeds whole numbers that together select the sequence */
  constructor(...seeds: readonly number[]) {
    this.#state = seeds.reduce((state, seed) => mix(state ^ (seed | 0)), 0x9e3779b9);
  }

  /** A whole number from 0 to bound − 1. */
  below(bound: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * bound);
  }

  /** True in one of so many cases. */
  oneIn(cases: number): boolean {
    return this.below(cases) === 0;
  }

  /** One of these. */
  pick<T>(items: readonly T[]): T {
    const picked = items[this.below(items.length)];
    if (picked === undefined) throw new Error("expected something to pick from, got nothing");
    return picked;
  }

  /** One of these, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<{ [name in T]: number }>): T {
    const entries = Object.entries<number>(weights);
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [name, weight] of entries) {
      if (left < weight) return name as T;
      left -= weight;
    }
    throw new Error("expected weights, got none");
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return mix(this.#state);
  }
}

/** Mulberry32's mixing of 32 bits. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), 1 | value);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}
