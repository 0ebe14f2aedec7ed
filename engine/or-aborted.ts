import { forMany } from "../streams/for-many.ts";

/**
 * Waits for what cannot be cancelled, or no longer than until the signal; it then goes on unobserved.
 *
 * @throws what the promise rejects with; the reason of `signal`
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else forMany(signal).addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
