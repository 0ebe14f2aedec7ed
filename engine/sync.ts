import { EmptyError, filter, firstValueFrom } from "rxjs";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import type { Transition } from "./transition.ts";
import { CONNECTION } from "./wallet-state.ts";

/** Options of `Wallet.sync`. */
export interface SyncOptions {
  /** Ends the sync; what was consumed stays consumed. */
  readonly signal?: AbortSignal;
  /** Ends it after a while, with what was done until then. */
  readonly maxMs?: number;
}

/** What a sync did. */
export interface SyncResult {
  /** Messages taken in, packages credited, and messages that brought nothing. */
  readonly messages: number;
  readonly applied: number;
  readonly ignored: number;
  /** The package that could not be decided, if one stopped the sync; it is read again by the next. */
  readonly halted: { readonly checkpoint: bigint; readonly code: string } | null;
  /** Whether the mailbox was read to its end. */
  readonly caughtUp: boolean;
  readonly checkpoint: bigint;
}

/** One drain of the mailbox: asks the connection machine for it and waits until it stopped. */
export async function runSync(engine: Engine, options: SyncOptions): Promise<SyncResult> {
  options.signal?.throwIfAborted();
  const before = { ...engine.committed.counters };
  const { taken } = engine.feed({ instance: CONNECTION, event: { type: "run.requested", mode: "drain" } });
  if (!taken) throw new HeartwoodError("WALLET_RUNNING", "expected a wallet that is stopped, got one that runs already");
  const stop = (): void => engine.notify({ instance: CONNECTION, event: { type: "stop.requested" } });
  const cancelTimer = options.maxMs === undefined ? () => {} : engine.clock.after(options.maxMs, stop);
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    const { event } = await endOfRun(engine);
    await engine.connection.closed();
    options.signal?.throwIfAborted();
    if (event.type === "connection.failed" || event.type === "connection.refused") throw engine.connection.lastError;
    const { counters, checkpoint } = engine.committed;
    return {
      messages: counters.messages - before.messages,
      applied: counters.packages - before.packages,
      ignored: counters.ignored - before.ignored,
      halted: event.type === "package.halted" ? { checkpoint: event.checkpoint as bigint, code: String(event.code) } : null,
      caughtUp: event.type === "mailbox.caughtUp",
      checkpoint,
    };
  } finally {
    cancelTimer();
    options.signal?.removeEventListener("abort", stop);
  }
}

/** The record that stops the connection. What was just decided is durable later than now, so none is missed. */
async function endOfRun(engine: Engine): Promise<Transition> {
  try {
    return await firstValueFrom(engine.committed$.pipe(filter(isEnd)));
  } catch (cause) {
    if (cause instanceof EmptyError) throw new HeartwoodError("WALLET_CLOSED", "the wallet was closed during a sync");
    throw new HeartwoodError("WALLET_FAILED", "the wallet stopped at a failure during a sync", { cause });
  }
}

function isEnd({ instance, state }: Transition): boolean {
  return instance === CONNECTION && state === "Stopped";
}
