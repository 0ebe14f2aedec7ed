/** The clock of the server, which a fault can put wrong. */
export class SkewedClock {
  readonly #now: () => number;
  /** Milliseconds added to the true time. */
  skewMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Unix milliseconds. */
  readonly nowMs = (): number => this.#now() + this.skewMs;
}
