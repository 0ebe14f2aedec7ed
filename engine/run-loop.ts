import { effectKinds } from "../machines/effects.ts";
import { MIGRATED, schemaOf } from "../machines/event-schemas.ts";
import { migrate } from "../machines/migrate.ts";
import { machineNamed } from "../machines/registry.ts";
import { type MachineDefinition, type MachineEvent, type Outcome, step } from "../machines/step.ts";
import type { EventLog } from "../store/event-log.ts";
import { HeartwoodError } from "./errors.ts";
import { withFacts } from "./facts.ts";
import type { Clock, Randomness } from "./ports.ts";
import { type Blob, encodeTransition, type IssuedEffect, type Transition } from "./transition.ts";
import { blobsToKeep, UNSOLICITED_LIMITS, type UnsolicitedLimits } from "./unsolicited.ts";
import type { LiveInstance } from "./wallet-rows.ts";
import { BACKUP, CONNECTION, MAILBOX, type WalletState } from "./wallet-state.ts";

/** An event for an instance, with where it came from. */
export interface Dispatch {
  readonly instance: string;
  readonly event: MachineEvent;
  /** Bytes that the event refers to; those that the log has already are not stored again. */
  readonly blobs?: readonly (Blob & { readonly data: Uint8Array })[];
  /** The effect whose result this is. */
  readonly effectId?: string;
  readonly causeSeq?: bigint;
}

/** What became of an event. */
export interface Dispatched {
  /** False if no transition was selected: nothing was recorded. */
  readonly taken: boolean;
  /** Queries that the records ask for; the caller or the engine carries them out, before or after the commit. */
  readonly queries: readonly IssuedEffect[];
  /** Resolves when the records are durable. */
  readonly committed: Promise<void>;
}

/** Who is told what the run loop does. */
export interface RunLoopListener {
  /** Called for each record, in order, once it is durable. */
  onCommitted(transition: Transition): void;
  /** Called once, when the log or a machine failed; nothing is decided after it. */
  onFailed(error: unknown): void;
}

/**
 * Decides purely, commits once, then lets act (DESIGN §2).
 *
 * An event and everything that it routes to other instances are decided in one synchronous tick on the pending state
 * and written as one commit; so no two events can see the same coin free or the same VTXO new.
 */
export class RunLoop {
  readonly #log: EventLog;
  readonly #epoch: bigint;
  readonly #pending: WalletState;
  readonly #committed: WalletState;
  readonly #clock: Clock;
  readonly #tipMs: () => number;
  readonly #randomness: Randomness;
  readonly #limits: UnsolicitedLimits;
  readonly #listener: RunLoopListener;
  #tail: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  #unexpected = 0;

  constructor(parts: {
    log: EventLog;
    committed: WalletState;
    clock: Clock;
    /** The time of the chain's tip, as far as it is known; 0 unless given. */
    tipMs?: () => number;
    randomness: Randomness;
    limits?: UnsolicitedLimits;
    listener: RunLoopListener;
  }) {
    this.#log = parts.log;
    this.#epoch = parts.log.head().epoch;
    this.#committed = parts.committed;
    this.#pending = parts.committed.clone();
    this.#clock = parts.clock;
    this.#tipMs = parts.tipMs ?? (() => 0);
    this.#randomness = parts.randomness;
    this.#limits = parts.limits ?? UNSOLICITED_LIMITS;
    this.#listener = parts.listener;
  }

  /** Committed plus queued: what decisions are made on. */
  get pending(): Readonly<WalletState> {
    return this.#pending;
  }

  /** Events that changed nothing and asked nothing since the start: counted, not recorded (DESIGN §7). */
  get unexpected(): number {
    return this.#unexpected;
  }

  /**
   * Takes an event, or several that are decided one after the other and written as one commit.
   *
   * @throws HeartwoodError `WALLET_FAILED` after the log or a machine failed, `WALLET_CLOSED` after {@link close}
   */
  dispatch(...dispatches: readonly Dispatch[]): Dispatched {
    this.checkRunning();
    const { transitions, bodies } = this.#decide(dispatches);
    if (transitions.length === 0) return { taken: false, queries: [], committed: this.#tail };
    const effects = transitions.flatMap((transition) => transition.effects);
    return {
      taken: true,
      queries: effects.filter(({ type }) => effectKinds[type] === "query"),
      committed: this.#commit(transitions, bodies),
    };
  }

  /** Stops for good: nothing is decided any more, the listener is told. Only the first failure counts. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#listener.onFailed(error);
  }

  /** @throws HeartwoodError as {@link dispatch} would */
  checkRunning(): void {
    if (this.#failure !== undefined) throw this.#failed();
    if (this.#closed) throw new HeartwoodError("WALLET_CLOSED", "expected an open wallet, got a closed one");
  }

  /** Resolves when everything decided so far is durable. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /** Decides nothing any more; resolves when what was decided is durable, or failed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail.catch(() => {});
  }

  #decide(dispatches: readonly Dispatch[]): {
    readonly transitions: readonly Transition[];
    readonly bodies: readonly Uint8Array[];
  } {
    const transitions: Transition[] = [];
    const queue: Dispatch[] = [...dispatches];
    try {
      const atMs = Math.trunc(this.#clock.nowMs());
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const transition = this.#take(next, atMs);
        if (transition === undefined) continue;
        transitions.push(transition);
        queue.push(...routes(transition));
      }
      return { transitions, bodies: transitions.map(encodeTransition) };
    } catch (error) {
      this.fail(error);
      throw this.#failed();
    }
  }

  #take(dispatch: Dispatch, atMs: number): Transition | undefined {
    const { instance } = dispatch;
    if (this.#pending.hasFinished(instance)) return this.#count();
    const machine = machineNamed(instance.slice(0, instance.indexOf("/")), this.#pending.machines);
    const current = this.#pending.instances.get(instance);
    const facts = { instance, referenceMs: Math.max(atMs, this.#tipMs()), state: this.#pending, randomness: this.#randomness };
    const event = withFacts(dispatch.event, facts);
    const outcome = decide(machine, current, event, atMs);
    if (outcome.kind === "unexpected") return this.#count();
    const seq = this.#pending.seq + 1n;
    const transition: Transition = {
      seq,
      epoch: this.#epoch,
      atMs,
      machine: machine.name,
      revision: machine.revision,
      instance,
      version: (current?.version ?? 0n) + 1n,
      event,
      schema: schemaOf(machine.events, event.type),
      blobs: blobsToKeep(dispatch.blobs ?? [], event, atMs, { state: this.#pending, limits: this.#limits }),
      causeSeq: dispatch.causeSeq ?? 0n,
      effectId: dispatch.effectId ?? "",
      state: outcome.next.state,
      change: outcome.change,
      effects: outcome.effects.map((effect, index) => ({ ...effect, id: `${seq}.${index}` })),
      digest: outcome.digest,
    };
    this.#pending.apply(transition);
    return transition;
  }

  #commit(transitions: readonly Transition[], bodies: readonly Uint8Array[]): Promise<void> {
    const [first] = transitions;
    const expectedSeq = first?.seq ?? 0n;
    const written = this.#log.append({ epoch: this.#epoch, expectedSeq, bodies });
    const before = this.#tail;
    const committed = (async () => {
      try {
        await Promise.all([written, before]);
      } catch (error) {
        this.fail(error);
        throw this.#failed();
      }
      for (const transition of transitions) {
        this.#committed.apply(transition);
        this.#listener.onCommitted(transition);
      }
    })();
    this.#tail = committed;
    // Whoever asked sees the failure; those who did not ask see it through the listener.
    committed.catch(() => {});
    return committed;
  }

  #count(): undefined {
    this.#unexpected++;
    return undefined;
  }

  #failed(): HeartwoodError {
    return new HeartwoodError("WALLET_FAILED", "the wallet stopped at a failure; close it and open it again", {
      cause: this.#failure?.error,
    });
  }
}

/** An instance of an older revision takes nothing but its migration: its state may not be one of today's code. */
function decide(machine: MachineDefinition, current: LiveInstance | undefined, event: MachineEvent, atMs: number): Outcome {
  const revision = current?.revision ?? machine.revision;
  if (current !== undefined && event.type === MIGRATED) return migrate(machine, current, revision);
  if (revision !== machine.revision) throw new Error(`${machine.name} of revision ${revision} is not migrated`);
  return step(machine, current, { ...event, atMs });
}

/** Events that a record's routing effects carry to other instances. */
function routes({ effects, seq, instance }: Transition): Dispatch[] {
  return effects.flatMap((effect): Dispatch[] => {
    switch (effect.type) {
      case "consumeMessage":
        return [{ instance: MAILBOX, event: { type: "message.consumed", ...effect.params }, causeSeq: seq }];
      case "haltMailbox":
        return [{ instance: MAILBOX, event: { type: "package.halted", ...effect.params }, causeSeq: seq }];
      case "haltConnection":
        return [{ instance: CONNECTION, event: { type: "package.halted", ...effect.params }, causeSeq: seq }];
      case "holdItem":
        return [
          {
            instance: `quarantined/${effect.params.key}`,
            event: { type: "item.held", item: effect.params.item },
            causeSeq: seq,
          },
        ];
      case "backUpIds":
        return [{ instance: BACKUP, event: { type: "backup.requested", ...effect.params }, causeSeq: seq }];
      default:
        if (effectKinds[effect.type] === "route") throw new Error(`${instance} asks for ${effect.type}, which has no route`);
        return [];
    }
  });
}
