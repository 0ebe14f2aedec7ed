import { catchError, defer, finalize, type Observable, tap } from "rxjs";
import { STEADY_MS } from "../machines/connection.machine.ts";
import { codeOf } from "./errors.ts";
import type { Keyring } from "./keyring.ts";
import type { Clock } from "./ports.ts";

/**
 * Whether a call may have been refused because its authorization had expired on arrival: a clock that is behind the
 * server's by more than its life and 5 s. The server's text is no contract, so any refusal may be that (mailbox.md W-31).
 */
function mayBeClock(error: unknown, keyring: Keyring): boolean {
  return codeOf(error) === "SERVER_REJECTED" && !keyring.isLongLived;
}

/**
 * A call with a fresh authorization; one that is refused is made once more with a longer one, and if that helps, all later
 * ones are longer too.
 */
export async function authorized<T>(keyring: Keyring, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!mayBeClock(error, keyring)) throw error;
    keyring.isLongLived = true;
    try {
      const answer = await call();
      keyring.onClockBehind();
      return answer;
    } catch (again) {
      keyring.isLongLived = false;
      throw again;
    }
  }
}

/**
 * As {@link authorized}, for a stream: opened once more if it is refused before it delivered anything. That this helped shows
 * in what is delivered then, or in time without a refusal.
 */
export function authorized$<T>(keyring: Keyring, clock: Clock, stream$: Observable<T>): Observable<T> {
  return defer(() => {
    let hasDelivered = false;
    const first$ = stream$.pipe(
      tap(() => {
        hasDelivered = true;
      }),
    );
    return first$.pipe(
      catchError((error: unknown) => {
        if (hasDelivered || !mayBeClock(error, keyring)) throw error;
        return withLongLife(keyring, clock, stream$);
      }),
    );
  });
}

function withLongLife<T>(keyring: Keyring, clock: Clock, stream$: Observable<T>): Observable<T> {
  keyring.isLongLived = true;
  let hasHelped = false;
  const help = (): void => {
    if (!hasHelped) keyring.onClockBehind();
    hasHelped = true;
  };
  const cancel = clock.after(STEADY_MS, help);
  return stream$.pipe(
    tap(help),
    catchError((again: unknown) => {
      if (!hasHelped) keyring.isLongLived = false;
      throw again;
    }),
    finalize(cancel),
  );
}
