import type { EffectParams } from "../machines/effects.ts";
import type { MachineEvent } from "../machines/step.ts";
import type { ServerSession } from "../streams/session.ts";
import { actionExecutors } from "./action-executors.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import type { CallParts } from "./server-calls.ts";
import type { Blob } from "./transition.ts";
import type { OpenCommand } from "./wallet-rows.ts";

/** Every open action is tried that often at least (lightning.md S1); also where its back-off would be longer. */
const LONGEST_WAIT_MS = 60_000;
const FIRST_WAIT_MS = 1_000;

/** One attempt to carry out a command of an action. */
export interface ActionCall<Type extends keyof EffectParams> extends CallParts {
  readonly engine: Engine;
  readonly instance: string;
  readonly params: EffectParams[Type];
  readonly session: ServerSession;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
  /** Whether an earlier attempt, of this process or of one before it, may have reached the server. */
  readonly isRepeated: boolean;
  /** Attempts in a row, right before this one, that threw. */
  readonly failures: number;
}

/** What came of an attempt. A thrown error says nothing of the payment: it is tried again after attempts² seconds. */
export type ActionAnswer =
  | DecidedAnswer
  /** An answer that looks at what instances share: found in the tick that records it, so that no other one gets in between. */
  | { readonly decide: () => DecidedAnswer };

/** An answer as it is taken. */
export type DecidedAnswer =
  /** The command's result: it leaves the outbox with the record of this event. */
  | { readonly event: MachineEvent; readonly blobs?: readonly (Blob & { readonly data: Uint8Array })[] }
  /** Nothing final: asked again after a while. `news` is an event all the same, for a machine that may or may not take it. */
  | { readonly waitMs: number; readonly news?: MachineEvent }
  /** As if it had thrown, with news all the same. */
  | { readonly error: unknown; readonly news: MachineEvent };

/** Carries out one kind of command: may be called again at any time, also after a crash in the middle of an attempt. */
export type ActionExecutor<Type extends keyof EffectParams> = (call: ActionCall<Type>) => Promise<ActionAnswer>;

interface Task {
  readonly command: OpenCommand;
  isRepeated: boolean;
  /** Attempts in a row that threw. */
  failures: number;
  running: Promise<void> | undefined;
  /** Whether something happened meanwhile that makes another attempt worth while at once. */
  isWoken: boolean;
  cancelWait: () => void;
}

/**
 * Drives actions (lightning.md §4): carries out the commands of their machines, each over and over until its result is
 * recorded, whatever happens to connections and processes. Different actions go on side by side.
 */
export class ActionDriver {
  readonly #engine: Engine;
  /** By effect id. */
  readonly #tasks = new Map<string, Task>();
  #stopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether a command is of an action. */
  isFor({ effect }: OpenCommand): boolean {
    return effect.type in actionExecutors;
  }

  /** Starts a command of a record that just became durable. */
  issue(command: OpenCommand): void {
    this.#run(this.#taskOf(command, false));
  }

  /**
   * Tries everything that is open, or all of one action, now: at a start, when a connection is there, at a new tip, and
   * when a notice came.
   */
  drive(instance?: string): void {
    for (const command of this.#engine.committed.outbox.values()) {
      if (!this.isFor(command) || (instance !== undefined && command.instance !== instance)) continue;
      const task = this.#taskOf(command, true);
      if (task.running === undefined) this.#run(task);
      else task.isWoken = true;
    }
  }

  /** Resolves when no attempt is under way and none follows from what is decided: everything waits, or is done. */
  async idle(): Promise<void> {
    for (;;) {
      await this.#engine.loop.settled();
      const running = [...this.#tasks.values()].flatMap((task) => (task.running === undefined ? [] : [task.running]));
      if (running.length === 0) return;
      await Promise.all(running);
    }
  }

  /** Ends all waits for good; the commands stay in the log's outbox. */
  stop(): void {
    this.#stopped = true;
    for (const task of this.#tasks.values()) task.cancelWait();
    this.#tasks.clear();
  }

  #taskOf(command: OpenCommand, isRepeated: boolean): Task {
    const known = this.#tasks.get(command.effect.id);
    if (known !== undefined) return known;
    const task = { command, isRepeated, failures: 0, running: undefined, isWoken: false, cancelWait: () => {} };
    this.#tasks.set(command.effect.id, task);
    return task;
  }

  #run(task: Task): void {
    const { session, signal } = this.#engine.connection;
    task.cancelWait();
    // The next connection drives it again.
    if (this.#stopped || session === undefined || signal.aborted) return;
    task.running = this.#attempt(task, session, signal).finally(() => {
      task.running = undefined;
      if (task.isWoken) this.#run(task);
    });
  }

  async #attempt(task: Task, session: ServerSession, signal: AbortSignal): Promise<void> {
    task.isWoken = false;
    if (!this.#engine.loop.pending.outbox.has(task.command.effect.id)) return this.#forget(task);
    const waitMs = await this.#try(task, session, signal);
    task.isRepeated = true;
    if (waitMs === undefined || signal.aborted || this.#stopped) return;
    task.cancelWait = this.#engine.clock.after(Math.min(waitMs, LONGEST_WAIT_MS), () => this.#run(task));
  }

  /** How long to wait before the next attempt; undefined if none is needed. */
  async #try(task: Task, session: ServerSession, signal: AbortSignal): Promise<number | undefined> {
    const { effect, instance } = task.command;
    const { blobs, keyring } = this.#engine;
    const { isRepeated, failures } = task;
    try {
      const execute = actionExecutors[effect.type as keyof typeof actionExecutors] as ActionExecutor<typeof effect.type>;
      const { params } = effect;
      const parts = { engine: this.#engine, session, signal, blobs, keyring };
      const given = await execute({ ...parts, instance, params, isRepeated, failures });
      // The instance went on without it: its state asks for something else now.
      if (!this.#engine.loop.pending.outbox.has(effect.id)) {
        this.#forget(task);
        return undefined;
      }
      const answer = "decide" in given ? given.decide() : given;
      if (!("event" in answer) && answer.news !== undefined) this.#engine.feed({ instance, event: answer.news });
      if ("error" in answer) throw answer.error;
      task.failures = 0;
      if ("waitMs" in answer) return answer.waitMs;
      const { taken } = this.#engine.feed({ instance, effectId: effect.id, ...answer });
      if (!taken) throw new Error(`${instance} does not take ${answer.event.type} in its state`);
      this.#forget(task);
      return undefined;
    } catch (error) {
      if (signal.aborted || this.#stopped) return undefined;
      task.failures++;
      const details = { instance, effect: effect.type, code: codeOf(error), message: messageOf(error) };
      this.#engine.ports.logger("warn", "a payment goes on later", details);
      return task.failures ** 2 * FIRST_WAIT_MS;
    }
  }

  #forget({ command, cancelWait }: Task): void {
    cancelWait();
    this.#tasks.delete(command.effect.id);
  }
}
