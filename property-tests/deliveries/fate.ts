/** Who decides in which order what waits at boundaries goes on. */
export interface Pace {
  /** Ends when it is the caller's turn. */
  pause(): Promise<void>;
  /** Gives all their turns, one after the other; false if nobody waits. */
  release(): Promise<boolean>;
}

/** One process: it may be killed at any boundary, and does nothing afterwards. */
export class Fate {
  #alive = true;
  #left: number | undefined;
  readonly #pace: Pace | undefined;

  constructor(pace?: Pace) {
    this.#pace = pace;
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#alive = false;
  }

  /** Kills the process at a later boundary; 0 is the next one. */
  killAfter(boundaries: number): void {
    this.#left = boundaries;
  }

  /** Calls the kill off. */
  spare(): void {
    this.#left = undefined;
  }

  /** Stands before and after everything that reaches the outside. Never resolves in a dead process. */
  async boundary(): Promise<void> {
    await this.#pace?.pause();
    if (this.#left !== undefined && this.#left-- === 0) this.#alive = false;
    if (!this.#alive) await new Promise<never>(() => {});
  }
}

/** Lets everything run that waits for nothing but the processor. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
