import { concatMap, defer, finalize, Observable, type ObservableInput, type OperatorFunction } from "rxjs";

/** A value that occupies a place until it is released. */
export interface Held<T> {
  readonly value: T;
  /** Frees the place; a second call does nothing. */
  release(): void;
}

/** Bounds of {@link heldFrom}. */
export interface CreditOptions<T> {
  /** Most values held at once. */
  readonly places: number;
  /** Most bytes held at once; a value larger than that is let through alone. */
  readonly maxBytes: number;
  /** Size of a value in bytes. */
  sizeOf(value: T): number;
}

/**
 * A cold observable over an async iterable that never runs ahead of its consumer: the next value is pulled
 * only when a place is free, and one that does not fit by its bytes waits, pulled but not passed on.
 *
 * RxJS `from(asyncIterable)` neither cancels nor holds back, hence this. `open` is called once a subscription,
 * with a signal that is aborted on unsubscribe, on completion and on error.
 */
export function heldFrom<T>(open: (signal: AbortSignal) => AsyncIterable<T>, options: CreditOptions<T>): Observable<Held<T>> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    const credit = new Credit(options.places, options.maxBytes);
    const pump = async (): Promise<void> => {
      const iterator = open(stop.signal)[Symbol.asyncIterator]();
      try {
        for (;;) {
          await credit.room(1);
          if (stop.signal.aborted) return;
          const next = await iterator.next();
          if (next.done === true) return subscriber.complete();
          const bytes = options.sizeOf(next.value);
          await credit.room(bytes);
          if (stop.signal.aborted) return;
          subscriber.next(credit.hold(next.value, bytes));
        }
      } finally {
        // An iterator that was aborted may refuse to end in order; nobody is left who could be told.
        iterator.return?.().catch(() => undefined);
      }
    };
    pump().catch((error: unknown) => subscriber.error(error));
    return () => {
      stop.abort();
      credit.close();
    };
  });
}

/** Runs `project` for one held value at a time, in order, and frees its place when that ended in any way. */
export function concatMapHeld<T, R>(project: (value: T) => ObservableInput<R>): OperatorFunction<Held<T>, R> {
  return concatMap((held) => defer(() => project(held.value)).pipe(finalize(() => held.release())));
}

class Credit {
  readonly #places: number;
  readonly #maxBytes: number;
  #held = 0;
  #bytes = 0;
  #closed = false;
  #waiting: { readonly bytes: number; readonly resolve: () => void } | undefined;

  constructor(places: number, maxBytes: number) {
    this.#places = places;
    this.#maxBytes = maxBytes;
  }

  /** Waits until a value of this size fits, or until {@link close}. One waiter at a time. */
  async room(bytes: number): Promise<void> {
    if (this.#fits(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#waiting = { bytes, resolve };
    });
  }

  hold<T>(value: T, bytes: number): Held<T> {
    this.#held += 1;
    this.#bytes += bytes;
    let released = false;
    return {
      value,
      release: () => {
        if (released) return;
        released = true;
        this.#held -= 1;
        this.#bytes -= bytes;
        this.#wake();
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #fits(bytes: number): boolean {
    if (this.#closed || this.#held === 0) return true;
    return this.#held < this.#places && this.#bytes + bytes <= this.#maxBytes;
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || !this.#fits(waiting.bytes)) return;
    this.#waiting = undefined;
    waiting.resolve();
  }
}
