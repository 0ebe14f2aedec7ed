import { firstValueFrom, lastValueFrom, map, Observable, Subject, take, toArray } from "rxjs";
import { expect, test } from "vitest";
import { concatMapHeld, type Held, heldFrom } from "../../streams/credit.ts";
import { until } from "./server.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Numbers from 0 on, with a count of how many were pulled and whether the iterator was ended. */
function counter(size = 1_000) {
  const seen = { pulled: 0, ended: false, signal: undefined as AbortSignal | undefined };
  async function* numbers() {
    try {
      for (let i = 0; i < size; i++) {
        seen.pulled += 1;
        yield i;
      }
    } finally {
      seen.ended = true;
    }
  }
  const count = (signal: AbortSignal) => {
    seen.signal = signal;
    return numbers();
  };
  return { seen, count };
}

const options = (places: number, maxBytes = 1e9, size = 1) => ({ places, maxBytes, sizeOf: () => size });

test("nothing is opened before somebody subscribes", async () => {
  const { seen, count } = counter();
  const held$ = heldFrom(count, options(4));
  await settle();
  expect(seen.signal).toBeUndefined();
  held$.subscribe().unsubscribe();
  expect(seen.signal?.aborted).toBe(true);
});

test("no more values are pulled than there are places, and a release lets the next one in", async () => {
  const { seen, count } = counter();
  const held: Held<number>[] = [];
  const subscription = heldFrom(count, options(4)).subscribe((value) => held.push(value));
  await settle();
  expect([held.length, seen.pulled]).toEqual([4, 4]);
  held[2]?.release();
  await settle();
  expect(held.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4]);
  expect(seen.pulled).toBe(5);
  subscription.unsubscribe();
});

test("a second release of one value frees nothing", async () => {
  const { count } = counter();
  const held: Held<number>[] = [];
  const subscription = heldFrom(count, options(2)).subscribe((value) => held.push(value));
  await settle();
  held[0]?.release();
  held[0]?.release();
  await settle();
  expect(held).toHaveLength(3);
  subscription.unsubscribe();
});

test("bytes bound what is held: one value too many waits, already pulled, until its bytes fit", async () => {
  const sizes = [40, 40, 40, 10];
  async function* values() {
    yield* sizes;
  }
  const held: Held<number>[] = [];
  heldFrom(values, { places: 10, maxBytes: 100, sizeOf: (size) => size }).subscribe((value) => held.push(value));
  await settle();
  expect(held.map(({ value }) => value)).toEqual([40, 40]);
  held[0]?.release();
  await settle();
  expect(held.map(({ value }) => value)).toEqual([40, 40, 40, 10]);
});

test("a value larger than the bound is let through, alone", async () => {
  async function* values() {
    yield* [10, 500, 10];
  }
  const held: Held<number>[] = [];
  heldFrom(values, { places: 10, maxBytes: 100, sizeOf: (size) => size }).subscribe((value) => held.push(value));
  await settle();
  expect(held).toHaveLength(1);
  held[0]?.release();
  await settle();
  expect(held).toHaveLength(2);
  held[1]?.release();
  await settle();
  expect(held).toHaveLength(3);
});

test("values come in order, the end completes, and every subscription starts anew", async () => {
  const { count } = counter(100);
  const values$ = heldFrom(count, options(3)).pipe(concatMapHeld(async (value) => value));
  for (let i = 0; i < 2; i++) {
    expect(await lastValueFrom(values$.pipe(toArray()))).toEqual(Array.from({ length: 100 }, (_, n) => n));
  }
});

test("an error comes after the values before it, and as it was", async () => {
  const reason = new Error("broken");
  async function* values() {
    yield 1;
    yield 2;
    throw reason;
  }
  const seen: unknown[] = [];
  await new Promise<void>((resolve) => {
    heldFrom(values, options(1))
      .pipe(concatMapHeld((value) => [value]))
      .subscribe({
        next: (value) => seen.push(value),
        error: (error) => {
          seen.push(error);
          resolve();
        },
      });
  });
  expect(seen).toEqual([1, 2, reason]);
});

test("a source that cannot even be opened is an error of the subscription", async () => {
  const reason = new Error("no");
  const held$ = heldFrom(() => {
    throw reason;
  }, options(1));
  await expect(firstValueFrom(held$)).rejects.toBe(reason);
});

test("unsubscribing ends the source, whether it waits for a place, for bytes or for a value", async () => {
  const waitsForPlace = counter();
  const waitsForBytes = counter();
  const first = heldFrom(waitsForPlace.count, options(1)).subscribe();
  const second = heldFrom(waitsForBytes.count, options(9, 10, 6)).subscribe();
  let released = false;
  async function* never(signal: AbortSignal) {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    released = true;
    yield 1;
  }
  const third = heldFrom(never, options(1)).subscribe();
  await settle();
  expect([waitsForPlace.seen.pulled, waitsForBytes.seen.pulled]).toEqual([1, 2]);
  for (const subscription of [first, second, third]) subscription.unsubscribe();
  await until(() => waitsForPlace.seen.ended && waitsForBytes.seen.ended && released, "the end of all sources");
});

test("nothing is delivered after unsubscribe", async () => {
  const { count } = counter();
  const seen: number[] = [];
  await lastValueFrom(
    heldFrom(count, options(50)).pipe(
      map((held) => {
        seen.push(held.value);
        held.release();
        return held.value;
      }),
      take(3),
    ),
  );
  await settle();
  expect(seen).toEqual([0, 1, 2]);
});

test("one value is worked on at a time, and its place is freed only when its work ended", async () => {
  const { seen, count } = counter(6);
  let running = 0;
  let most = 0;
  const gate = new Subject<void>();
  const work = () =>
    new Observable<string>((subscriber) => {
      running += 1;
      most = Math.max(most, running);
      const subscription = gate.subscribe(() => {
        running -= 1;
        subscriber.next("done");
        subscriber.complete();
      });
      return () => subscription.unsubscribe();
    });
  const results: string[] = [];
  heldFrom(count, options(2))
    .pipe(concatMapHeld(work))
    .subscribe((result) => results.push(result));
  await settle();
  expect(seen.pulled).toBe(2);
  gate.next();
  await settle();
  expect([results.length, seen.pulled, most]).toEqual([1, 3, 1]);
});

test("a place is freed when the work fails", async () => {
  let released = 0;
  const held: Held<number> = { value: 1, release: () => (released += 1) };
  const failing$ = new Observable<Held<number>>((subscriber) => subscriber.next(held)).pipe(
    concatMapHeld(() => Promise.reject(new Error("work"))),
  );
  await expect(lastValueFrom(failing$)).rejects.toThrow("work");
  expect(released).toBe(1);
});
