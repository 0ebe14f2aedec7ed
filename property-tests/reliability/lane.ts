/** A way to break the store, again and again, and what must hold each time. `npm run reliability` runs all of them. */
export interface Lane {
  readonly name: string;
  /** What is counted, in the plural. */
  readonly unit: string;
  /** How many a CI run, a soak run and `npm test` make. */
  readonly counts: { readonly ci: number; readonly soak: number; readonly test: number };
  /** In how many processes a run may be split; each has a seed of its own. */
  readonly shards: 1 | 2;
  /** The least share in percent of every class of a group, where so many were counted that a share says something. */
  readonly leastPercent: { readonly [group: string]: number };
  /** Makes cases until enough were counted; throws at the first in which something does not hold. */
  run(run: LaneRun): Promise<void>;
}

/** What one run of a lane is asked for. */
export interface LaneRunOptions {
  readonly seed: number;
  /** How many cases. */
  readonly count: number;
  /** The only case to run, as a failure printed it. */
  readonly path?: string | undefined;
}

/** How often each class was counted, by group. */
export type Tally = { [group: string]: { [name: string]: number } };

/** One run of a lane: what it is asked for, and what it counts. */
export class LaneRun implements LaneRunOptions {
  readonly seed: number;
  readonly count: number;
  readonly path: string | undefined;
  readonly tally: Tally = {};
  readonly notes: string[] = [];
  /** How many cases were run, or commands executed: what the lane counts. */
  done = 0;
  readonly #onCase: (path: string) => void;
  #at = "";

  /** @param onCase told of each case before it runs, so that it is known even if the process dies of it */
  constructor({ seed, count, path }: LaneRunOptions, onCase: (path: string) => void = () => undefined) {
    this.seed = seed;
    this.count = count;
    this.path = path;
    this.#onCase = onCase;
  }

  /** The case that runs, as a failure prints it. */
  get at(): string {
    return this.#at;
  }

  set at(path: string) {
    this.#at = path;
    this.#onCase(path);
  }

  /** The numbers of the cases to run. */
  *cases(): Generator<number, void, undefined> {
    const from = this.path === undefined ? 0 : Number(this.path);
    const to = this.path === undefined ? this.count : from + 1;
    for (let index = from; index < to; index++) {
      this.at = String(index);
      yield index;
      this.done++;
    }
  }

  /** Counts something for a class of a group. */
  add(group: string, name: string, times = 1): void {
    this.tally[group] ??= {};
    const counts = this.tally[group];
    counts[name] = (counts[name] ?? 0) + times;
  }

  /** Says something that belongs to the result. */
  note(text: string): void {
    this.notes.push(text);
  }
}

/** The machine lacks what a lane needs. The lane fails with that reason; only a soak run goes on without it. */
export class MachineRefused extends Error {
  override readonly name = "MachineRefused";
}

/** From so many counts of a group on, no class may be rarer than the lane says. */
const COUNTS_THAT_SAY_SOMETHING = 1_000;

/** The classes of a lane that were counted too rarely for the run to show something about them. */
export function rareClasses(lane: Lane, tally: Tally): string[] {
  return Object.entries(lane.leastPercent).flatMap(([group, least]) => {
    const classes = Object.entries(tally[group] ?? {});
    const total = classes.reduce((sum, [, count]) => sum + count, 0);
    if (total < COUNTS_THAT_SAY_SOMETHING) return [];
    return classes
      .filter(([, count]) => 100 * count < least * total)
      .map(([name, count]) => `${group} ${name}: expected ${least} % of ${total} at least, got ${count}`);
  });
}
