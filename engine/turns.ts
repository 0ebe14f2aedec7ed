/**
 * Does one piece of work after the other, in the order of the calls; one that fails keeps no other one back.
 *
 * That nothing is credited twice needs no turns: each decision is one tick. But without them every reader of a mailbox
 * would have the same package vetted again, and hold a page of its own (mailbox.md M-54, DESIGN §7).
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
