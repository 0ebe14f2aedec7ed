import type { EventLog } from "../../../store/index.ts";

/** A log that does some things otherwise. */
export function wrapLog(log: EventLog, otherwise: Partial<EventLog>): EventLog {
  return {
    head: () => log.head(),
    append: (request) => log.append(request),
    read: (options) => log.read(options),
    get: (seq) => log.get(seq),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
    ...otherwise,
  };
}
