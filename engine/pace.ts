/** Genesis items, each a signature, that are verified in one go: about a tenth of a second. */
const ITEMS_IN_ONE_GO = 64;

/** Node's way behind what is due; a browser has timers only. */
const later: (resume: () => void) => void =
  typeof setImmediate === "function" ? (resume) => void setImmediate(resume) : (resume) => void setTimeout(resume, 0);

/**
 * The pace of one vetting: between VTXOs everything else has its turn, such as keep-alive (DESIGN §7). Counted in work and
 * not in time, so that the same messages lead to the same order of things.
 */
export class Pace {
  #items = 0;

  /** To be awaited before so many genesis items are verified. */
  async spend(items: number): Promise<void> {
    this.#items += items;
    if (this.#items < ITEMS_IN_ONE_GO) return;
    this.#items = 0;
    await new Promise<void>((resolve) => {
      later(resolve);
    });
  }
}
