import { EmptyError, filter, firstValueFrom, fromEvent, map, merge, type Observable } from "rxjs";
import { controllerForMany, forMany } from "../streams/for-many.ts";
import { Halt } from "./consumer.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { orAborted } from "./or-aborted.ts";
import type { Transition } from "./transition.ts";
import { CONNECTION, MAILBOX } from "./wallet-state.ts";

/** Options of `Wallet.sync`. */
export interface SyncOptions {
  /** Ends the sync; what was consumed stays consumed. */
  readonly signal?: AbortSignal;
  /** Ends it after a while, with what was done until then. */
  readonly maxMs?: number;
  /** Ends it after so many pages; 10,000 unless given (mailbox.md M-25). A page has 100 VTXOs or messages as a rule. */
  readonly maxPages?: number;
}

/** What happened during a sync; beside a running wallet, or another sync, what those did is counted with it. */
export interface SyncResult {
  /** Pages of the mailbox that were read. */
  readonly pages: number;
  /** Messages taken in, packages credited, and messages that brought nothing. */
  readonly messages: number;
  readonly applied: number;
  readonly ignored: number;
  /** The package that could not be decided, if one stopped the sync; it is read again by the next. */
  readonly halted: { readonly checkpoint: bigint; readonly code: string } | null;
  /**
   * Whether the mailbox was read to its end: if not, and nothing halted, more remains, or nothing tells whether it does,
   * since the last messages do not say where they stand (mailbox.md W-7).
   */
  readonly caughtUp: boolean;
  readonly checkpoint: bigint;
}

type Ending = Pick<SyncResult, "halted" | "caughtUp">;

const MOST_PAGES = 10_000;
/** Wait before a connection that is just opened anew is looked at again. */
const REOPEN_WAIT_MS = 100;
const UNFINISHED: Ending = { halted: null, caughtUp: false };

/**
 * Reads the mailbox to its end, once: over a connection of its own, or beside what the wallet does already. Whoever reads
 * decides in its turn, so nothing is consumed twice (mailbox.md M-54).
 */
export async function runSync(engine: Engine, options: SyncOptions): Promise<SyncResult> {
  options.signal?.throwIfAborted();
  const before = { ...engine.committed.counters, pages: engine.pagesRead };
  const ended = controllerForMany();
  const end = (): void => ended.abort(options.signal?.reason);
  const cancelTimer = options.maxMs === undefined ? () => {} : engine.clock.after(options.maxMs, end);
  if (options.signal !== undefined) forMany(options.signal).addEventListener("abort", end, { once: true });
  try {
    const ending = await syncUntil(engine, ended.signal, options.maxPages ?? MOST_PAGES);
    // A wallet that only syncs hears of the heights that its payments must not miss here, and nowhere else.
    await orAborted(engine.deadlines.look(), ended.signal).catch((error: unknown) => {
      if (!ended.signal.aborted) throw error;
    });
    options.signal?.throwIfAborted();
    const { counters, checkpoint } = engine.committed;
    return {
      pages: engine.pagesRead - before.pages,
      messages: counters.messages - before.messages,
      applied: counters.packages - before.packages,
      ignored: counters.ignored - before.ignored,
      ...ending,
      checkpoint,
    };
  } finally {
    cancelTimer();
    options.signal?.removeEventListener("abort", end);
  }
}

async function syncUntil(engine: Engine, ended: AbortSignal, mostPages: number): Promise<Ending> {
  let hasWoken = false;
  while (!ended.aborted) {
    engine.loop.checkRunning();
    switch (engine.loop.pending.instances.get(CONNECTION)?.state ?? "Stopped") {
      case "Stopped":
        return syncAlone(engine, ended, mostPages);
      case "Live": {
        const ending = await syncBeside(engine, ended, mostPages);
        if (ending !== undefined) return ending;
        break;
      }
      case "BackingOff":
      case "CoolingDown": {
        const halted = haltOf(engine);
        const isHalt = halted !== null && halted.code === engine.loop.pending.contextOf(CONNECTION)?.code;
        if (hasWoken && isHalt) return { halted, caughtUp: false };
        if (hasWoken) throw engine.connection.lastError;
        hasWoken = true;
        engine.feed({ instance: CONNECTION, event: { type: "run.requested", mode: "live" } });
        break;
      }
      default:
        await nextOf(engine, ended, ({ instance }) => instance === CONNECTION);
    }
  }
  return UNFINISHED;
}

/** One drain of the mailbox: asks the connection machine for it and waits until it stopped. */
async function syncAlone(engine: Engine, ended: AbortSignal, mostPages: number): Promise<Ending> {
  engine.connection.mostPages = mostPages;
  engine.feed({ instance: CONNECTION, event: { type: "run.requested", mode: "drain" } });
  const stop = (): void => engine.notify({ instance: CONNECTION, event: { type: "stop.requested" } });
  ended.addEventListener("abort", stop, { once: true });
  try {
    // What was just decided is durable later than now, so no record is missed.
    const last = await nextOf(engine, undefined, ({ instance, state }) => instance === CONNECTION && state === "Stopped");
    const isAtEnd = engine.connection.readingEnd === "caughtUp";
    ended.removeEventListener("abort", stop);
    // After a halt the notices behind it are read, which takes as long as the server likes.
    await orAborted(engine.connection.closed(), ended).catch(() => {});
    if (ended.aborted && engine.loop.pending.instances.get(CONNECTION)?.state === "Stopped") engine.connection.abandon();
    if (last?.event.type === "connection.failed" || last?.event.type === "connection.refused") throw engine.connection.lastError;
    return {
      halted: last?.event.type === "package.halted" ? haltOf(engine) : null,
      caughtUp: last?.event.type === "mailbox.caughtUp" && isAtEnd,
    };
  } finally {
    ended.removeEventListener("abort", stop);
  }
}

/** Reads to the end over the connection that follows the mailbox; undefined while that is opened anew. */
async function syncBeside(engine: Engine, ended: AbortSignal, mostPages: number): Promise<Ending | undefined> {
  const { signal } = engine.connection;
  try {
    const drained = engine.connection.drainBeside(ended, mostPages);
    if (drained !== undefined) {
      const end = await orAborted(drained, ended);
      await engine.loop.settled();
      return { halted: null, caughtUp: end === "caughtUp" };
    }
    await new Promise<void>((resolve) => engine.clock.after(REOPEN_WAIT_MS, resolve));
    return undefined;
  } catch (error) {
    if (ended.aborted) return UNFINISHED;
    if (error instanceof Halt) {
      await engine.loop.settled();
      return { halted: haltOf(engine), caughtUp: false };
    }
    if (!signal.aborted) throw error;
    return undefined; // the connection was let go under it
  }
}

function haltOf(engine: Engine): SyncResult["halted"] {
  const { haltedAt, haltCode } = engine.loop.pending.contextOf(MAILBOX) ?? {};
  return typeof haltedAt === "bigint" ? { checkpoint: haltedAt, code: String(haltCode) } : null;
}

/** The next such record, or undefined at the end of the signal. */
async function nextOf(
  engine: Engine,
  ended: AbortSignal | undefined,
  isWanted: (transition: Transition) => boolean,
): Promise<Transition | undefined> {
  const wanted$: Observable<Transition | undefined> = engine.committed$.pipe(filter(isWanted));
  const ends$ = ended === undefined ? [] : [fromEvent(ended, "abort").pipe(map(() => undefined))];
  try {
    return await firstValueFrom(merge(wanted$, ...ends$));
  } catch (cause) {
    if (cause instanceof EmptyError) throw new HeartwoodError("WALLET_CLOSED", "the wallet was closed during a sync");
    throw new HeartwoodError("WALLET_FAILED", "the wallet stopped at a failure during a sync", { cause });
  }
}
