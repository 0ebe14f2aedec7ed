import type { EventLog } from "../store/event-log.ts";
import { forMany } from "../streams/for-many.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { decodeTransition } from "./transition.ts";
import { toWalletEvent, type WalletEvent } from "./wallet-event.ts";

/**
 * History, then the present: the log is read as far as it goes, and again whenever it grew. Nothing is buffered.
 *
 * An abort or a closed wallet ends it at once; after a failure what is durable is still told.
 */
export async function* followEvents(
  engine: Engine,
  log: EventLog,
  options: { readonly from?: bigint; readonly signal?: AbortSignal },
): AsyncGenerator<WalletEvent> {
  let next = options.from === undefined || options.from < 1n ? 1n : options.from;
  const growth = new Growth(engine, options.signal);
  try {
    while (!growth.isOver) {
      const until = engine.committed.seq;
      if (next > until) {
        growth.throwIfFailed();
        await growth.wait();
        continue;
      }
      for await (const { record } of log.read({ from: next, to: until })) {
        next = record.seq + 1n;
        const event = toWalletEvent(decodeTransition(record, engine.committed.machines));
        if (event !== undefined) yield event;
        if (growth.isOver) return;
      }
    }
  } catch (error) {
    // The log may have been closed while it was read.
    if (growth.isOver) return;
    growth.throwIfFailed();
    throw error;
  } finally {
    growth.stop();
  }
}

/** Notices that the log grew or will not grow any more. */
class Growth {
  #wake: () => void = () => {};
  #grew = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #subscription: { unsubscribe(): void };
  readonly #signal: AbortSignal | undefined;
  /** Whether nobody wants more, or nobody can tell more. */
  isOver = false;

  constructor(engine: Engine, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#subscription = engine.committed$.subscribe({
      next: () => this.#notice(),
      error: (error: unknown) => {
        this.#failure = { error };
        this.#notice();
      },
      complete: this.#end,
    });
    if (signal?.aborted === true) this.#end();
    if (signal !== undefined) forMany(signal).addEventListener("abort", this.#end, { once: true });
  }

  async wait(): Promise<void> {
    if (!this.#grew && !this.isOver) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#grew = false;
  }

  /** @throws HeartwoodError `WALLET_FAILED` */
  throwIfFailed(): void {
    if (this.#failure === undefined) return;
    throw new HeartwoodError("WALLET_FAILED", "the wallet stopped at a failure", { cause: this.#failure.error });
  }

  stop(): void {
    this.#subscription.unsubscribe();
    this.#signal?.removeEventListener("abort", this.#end);
  }

  #notice(): void {
    this.#grew = true;
    this.#wake();
  }

  readonly #end = (): void => {
    this.isOver = true;
    this.#wake();
  };
}
