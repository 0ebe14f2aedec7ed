/** One process: it may be killed at any boundary, and does nothing afterwards. */
export class Fate {
  #alive = true;
  #left: number | undefined;

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
    if (this.#left !== undefined && this.#left-- === 0) this.#alive = false;
    if (!this.#alive) await new Promise<never>(() => {});
  }
}

/** Lets everything run that waits for nothing but the processor. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
