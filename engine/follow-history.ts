import type { EventLog } from "../store/event-log.ts";
import type { Engine } from "./engine.ts";
import { History } from "./history.ts";
import type { HistorySource } from "./history-types.ts";

/** A history of a running engine's log, which stays the engine's. */
export function followHistory(engine: Engine, log: EventLog): History {
  let read = 0n;
  const source: HistorySource = {
    log: () => log,
    isLive: true,
    isShared: true,
    async grown(signal) {
      const isLonger = (): boolean => log.head().seq > read;
      if (!isLonger()) await grownOrOver(engine, signal);
      if (!isLonger() || engine.signal.aborted) return false;
      read = log.head().seq;
      return true;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return History.of(source, engine.committed.machines);
}

/** Resolves at the next record, or when there will be none. */
function grownOrOver(engine: Engine, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      subscription.unsubscribe();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const subscription = engine.committed$.subscribe({ next: () => queueMicrotask(end), error: end, complete: end });
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}
