import { machines } from "../machines/registry.ts";
import type { MachineDefinition } from "../machines/step.ts";
import type { EventLog } from "../store/event-log.ts";
import { decodeTransition, type Transition } from "./transition.ts";

/**
 * The committed records of a log in the engine's words, one at a time.
 *
 * @throws HeartwoodError `LOG_UNREADABLE`; StoreError for damage; the reason of `signal`
 */
export async function* transitionsOf(
  log: EventLog,
  options: { readonly to?: bigint; readonly signal?: AbortSignal } = {},
  among: readonly MachineDefinition[] = machines,
): AsyncGenerator<Transition, void, undefined> {
  const { to, signal } = options;
  const range = { ...(to === undefined ? {} : { to }), ...(signal === undefined ? {} : { signal }) };
  for await (const { record } of log.read(range)) yield decodeTransition(record, among);
}
