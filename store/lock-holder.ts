import { StoreError } from "./errors.ts";

/** Who has a store open. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** When the store was opened, ISO 8601 in UTC. */
  readonly since: string;
  /** Whether it was opened for reading only. */
  readonly readOnly: boolean;
}

/** The refusal of a store that somebody else has open, with what can be done about it beside waiting. */
export function lockedBy(holder: LockHolder, advice = ""): StoreError {
  const { host, pid, since, readOnly } = holder;
  const purpose = readOnly ? "reading" : "writing";
  // Such as heartwood inspect, which somebody may have left open.
  const hint = readOnly ? "; it only looks at it: end it first, or let it look at a copy" : "";
  return new StoreError(
    "STORE_LOCKED",
    `expected a store that nobody has open, got one that process ${pid} on ${host} has open for ${purpose} since ${since}${advice}${hint}`,
    {
      holder: { host, pid, since, readOnly },
    },
  );
}
