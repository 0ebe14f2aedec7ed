import type { Clock } from "./ports.ts";

/** Resolves when the promise does, or after a while: it then goes on. @throws what the promise rejects with until then */
export async function orLater(promise: Promise<unknown>, delayMs: number, clock: Clock): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(delayMs, resolve);
  });
  await Promise.race([promise, late]).finally(cancel);
}
