import type { VtxoId } from "../ark/vtxo-id.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Left } from "./bisect.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import { backUpEach, registerEach } from "./server-calls.ts";
import type { OpenCommand } from "./wallet-rows.ts";

/** Wait before a command that got no good answer is tried again while connected. */
const RETRY_MS = 30_000;

/**
 * Carries out commands whose record is durable. One that gets no good answer stays in the outbox and is tried again:
 * while connected after a wait, else at the next connection. A refusal is never final (mailbox.md §3.8).
 */
export class Outbox {
  readonly #engine: Engine;
  readonly #timers = new Map<string, () => void>();
  #running: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Starts a command of a record that just became durable, unless it was cancelled before. */
  issue(command: OpenCommand): void {
    if (this.#stopped || !this.#isOpen(command)) return;
    if (command.effect.type === "startTimer") this.#startTimer(command);
    else if (this.#engine.connection.session !== undefined) void this.#inTurn(() => [command], this.#engine.signal);
  }

  /** Tries every open server command once, in order. Resolves when each was tried; a failure is only logged. */
  flush(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => [...this.#engine.committed.outbox.values()], signal);
  }

  /** Forgets a timer. */
  cancelTimer(timer: string): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }

  /** Forgets all timers and retries for good; the commands stay in the log's outbox. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    for (const timer of [...this.#timers.keys()]) this.cancelTimer(timer);
  }

  #startTimer({ effect, instance }: OpenCommand): void {
    if (effect.type !== "startTimer") return;
    const { timer, dueAtMs } = effect.params;
    const { clock } = this.#engine;
    this.cancelTimer(timer);
    const due = (): void => {
      this.#timers.delete(timer);
      this.#engine.notify({ instance, event: { type: "timer.due" }, effectId: effect.id });
    };
    this.#timers.set(timer, clock.after(Math.max(0, dueAtMs - clock.nowMs()), due));
  }

  /** A command whose result is queued, or that was cancelled, is not open any more although the log still says so. */
  #isOpen({ effect }: OpenCommand): boolean {
    return this.#engine.loop.pending.outbox.has(effect.id);
  }

  #inTurn(commands: () => readonly OpenCommand[], signal: AbortSignal): Promise<void> {
    const turn = this.#running.then(() => this.#tryAll(commands(), signal)).catch(() => {});
    this.#running = turn;
    return turn;
  }

  async #tryAll(commands: readonly OpenCommand[], signal: AbortSignal): Promise<void> {
    let failed = false;
    for (const command of commands) {
      const { session } = this.#engine.connection;
      if (session === undefined || signal.aborted) return;
      if (this.#isOpen(command)) failed = !(await this.#try(command, session, signal)) || failed;
    }
    if (failed) this.#retryLater(signal);
  }

  /** One retry waits at most, for all that is open then: traffic neither puts it off nor adds to it. */
  #retryLater(signal: AbortSignal): void {
    if (this.#stopped || signal.aborted || this.#cancelRetry !== undefined) return;
    const { clock, signal: stopped } = this.#engine;
    this.#cancelRetry = clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      void this.flush(stopped);
    });
  }

  async #try({ effect, instance }: OpenCommand, session: ServerSession, signal: AbortSignal): Promise<boolean> {
    const { blobs, keyring } = this.#engine;
    const parts = { session, blobs, keyring, signal };
    try {
      switch (effect.type) {
        case "registerVtxos": {
          const left = leftOf(effect.params.sources, await registerEach(effect.params.sources, parts));
          this.#engine.feed({ instance, event: { type: "vtxos.registered", ...left }, effectId: effect.id });
          return true;
        }
        case "postRecoveryIds": {
          const left = leftOf(effect.params.ids, await backUpEach(effect.params.ids, parts));
          this.#engine.feed({ instance, event: { type: "recoveryIds.posted", ...left }, effectId: effect.id });
          return true;
        }
        default:
          return true; // timers and actions run by themselves
      }
    } catch (error) {
      if (!signal.aborted && !this.#stopped) {
        const details = { effect: effect.type, code: codeOf(error), message: messageOf(error) };
        this.#engine.ports.logger("warn", "a command got no good answer and is tried again", details);
      }
      return false;
    }
  }
}

/**
 * What the result of a command says of what the server did not take (mailbox.md W-34): its machine asks for that anew, and
 * the rest is done with.
 *
 * @throws what the server gave as the reason, if it took nothing: the command stays as it is
 */
function leftOf(all: readonly unknown[], { items, error }: Left<VtxoId>): { readonly left?: readonly VtxoId[] } {
  if (items.length === 0) return {};
  if (items.length === all.length) throw error;
  return { left: items };
}
