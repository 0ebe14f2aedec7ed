/**
 * A function of the owner's that only listens, such as a logger: what becomes of it must neither keep a message back nor end
 * a connection, so its failures are dropped. An async one may fail later.
 */
export function unfailing<Args extends readonly unknown[]>(listener: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      const told: unknown = listener(...args);
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // Nobody is left who could be told.
    }
  };
}
