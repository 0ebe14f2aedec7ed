import { type Observable, Subject } from "rxjs";
import type { ChainSource } from "../chain/source.ts";
import { effectKinds } from "../machines/effects.ts";
import type { EventLog } from "../store/event-log.ts";
import { controllerForMany } from "../streams/for-many.ts";
import type { Network } from "../streams/server-info.ts";
import { ActionDriver } from "./action-driver.ts";
import { Anchors } from "./anchors.ts";
import { BlobReader } from "./blob-reader.ts";
import { ConnectionDriver } from "./connection-driver.ts";
import { Deadlines } from "./deadlines.ts";
import { Drives } from "./drives.ts";
import { HeartwoodError } from "./errors.ts";
import { FloodGate } from "./flood-gate.ts";
import type { Keyring } from "./keyring.ts";
import { Outbox } from "./outbox.ts";
import { paymentDrivers } from "./payment-drivers.ts";
import type { Clock, Ports } from "./ports.ts";
import { Doubts } from "./reconcile.ts";
import { Recovery } from "./recovery.ts";
import { ReferenceTime } from "./reference-time.ts";
import { canSnapshot } from "./restore.ts";
import { type Dispatch, type Dispatched, RunLoop, type RunLoopListener } from "./run-loop.ts";
import { RunRequest } from "./run-request.ts";
import { SnapshotKeeper } from "./snapshot-keeper.ts";
import { decodeTransition, type IssuedEffect, type Transition } from "./transition.ts";
import { UNSOLICITED_LIMITS, type UnsolicitedLimits } from "./unsolicited.ts";
import { Vetting } from "./vetting.ts";
import type { WalletState } from "./wallet-state.ts";

/** Where a wallet lives: remembered once it proved right. */
export interface Place {
  readonly network: Network;
  readonly serverUrl: string;
  /** Empty for a chain source of the owner's own. */
  readonly chainUrl: string;
}

/** What an engine is made of. */
export interface EngineParts {
  readonly log: EventLog;
  /** What the log says. */
  readonly committed: WalletState;
  /** The record of the snapshot from which that was restored; 0 if none. */
  readonly snapshotSeq: bigint;
  readonly keyring: Keyring;
  readonly chain: ChainSource;
  readonly place: Place;
  readonly ports: Ports;
  /** {@link UNSOLICITED_LIMITS} unless given. */
  readonly limits?: Partial<UnsolicitedLimits> | undefined;
  readonly confirmations?: number | undefined;
}

/** An event that was taken, and the end of what it asked for. */
export interface Fed extends Dispatched {
  /** Resolves when the queries that the event led to have been answered and their answers decided. */
  readonly done: Promise<void>;
}

/** The run loop with its executors: the one place where effects meet the world. */
export class Engine implements RunLoopListener {
  readonly loop: RunLoop;
  readonly committed: WalletState;
  readonly keyring: Keyring;
  readonly chain: ChainSource;
  readonly place: Place;
  readonly ports: Ports;
  readonly limits: UnsolicitedLimits;
  /** Confirmations after which an anchor is money (mailbox.md W-41). */
  readonly confirmations: number;
  /** By which places in the mailbox are judged. */
  readonly time: ReferenceTime;
  readonly floodGate: FloodGate;
  readonly blobs: BlobReader;
  readonly vetting: Vetting;
  readonly outbox: Outbox;
  readonly drives: Drives;
  readonly actions: ActionDriver;
  readonly recovery: Recovery;
  readonly connection: ConnectionDriver;
  readonly runs: RunRequest;
  readonly deadlines: Deadlines;
  readonly doubts: Doubts;
  readonly anchors: Anchors;
  /** Pages of the mailbox that were read since the start. */
  pagesRead = 0;
  /** Whether the owner was told that pages are smaller than packages. */
  hasDoubtedPages = false;
  readonly #snapshots: SnapshotKeeper | undefined;
  readonly #committed$ = new Subject<Transition>();
  readonly #stopped = controllerForMany();
  readonly #log: EventLog;

  constructor(parts: EngineParts) {
    this.#log = parts.log;
    this.committed = parts.committed;
    this.keyring = parts.keyring;
    this.chain = parts.chain;
    this.place = parts.place;
    this.ports = parts.ports;
    this.limits = { ...UNSOLICITED_LIMITS, ...parts.limits };
    this.confirmations = parts.confirmations ?? 1;
    this.time = new ReferenceTime(parts.ports.clock, parts.chain);
    this.loop = new RunLoop({
      log: parts.log,
      committed: parts.committed,
      clock: parts.ports.clock,
      tipMs: () => this.time.tipMs,
      randomness: parts.ports.randomness,
      limits: this.limits,
      listener: this,
    });
    this.floodGate = new FloodGate(this);
    const { log, committed, snapshotSeq, ports } = parts;
    if (canSnapshot(log)) this.#snapshots = new SnapshotKeeper(log, committed, snapshotSeq, ports.logger);
    this.blobs = new BlobReader(parts.log, parts.committed);
    this.vetting = new Vetting(this);
    this.outbox = new Outbox(this);
    this.drives = new Drives(this, { ...paymentDrivers(this), ...parts.ports.drivers });
    this.actions = new ActionDriver(this);
    this.recovery = new Recovery(this);
    this.keyring.onClockBehind = () =>
      ports.logger("warn", "the clock of this machine seems to be behind the server's: authorizations live longer now");
    this.connection = new ConnectionDriver(this);
    this.runs = new RunRequest(this);
    this.deadlines = new Deadlines(this);
    this.doubts = new Doubts(this);
    this.anchors = new Anchors(this);
  }

  get clock(): Clock {
    return this.ports.clock;
  }

  /** Records as they become durable. Errors once the engine failed, completes when it was closed. */
  get committed$(): Observable<Transition> {
    return this.#committed$.asObservable();
  }

  /** Aborted when the engine stops for good. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /**
   * The record with which an instance ended.
   *
   * @throws HeartwoodError `NOT_FOUND`; StoreError if the record is damaged
   */
  async lastRecordOf(instance: string): Promise<Transition> {
    const seq = this.committed.endOf(instance);
    if (seq === undefined) throw new HeartwoodError("NOT_FOUND", `expected the end of ${instance}, got none`);
    return decodeTransition((await this.#log.get(seq)).record, this.committed.machines);
  }

  /** Takes an event, or several in one commit, and carries out the queries they lead to. */
  feed(...dispatches: readonly Dispatch[]): Fed {
    const dispatched = this.loop.dispatch(...dispatches);
    for (const { digest, data } of dispatches.flatMap(({ blobs = [] }) => blobs)) {
      this.blobs.remember(digest, data, dispatched.committed);
    }
    const done = Promise.all(dispatched.queries.map((effect) => this.#query(effect))).then(() => {});
    // Whoever waits sees a failure; where nobody waits, the listener was told.
    done.catch(() => {});
    return { ...dispatched, done };
  }

  /** As {@link feed}, for a fact that nobody waits for: it is dropped by an engine that failed or stopped. */
  notify(dispatch: Dispatch): void {
    try {
      this.feed(dispatch);
    } catch (error) {
      if (!(error instanceof HeartwoodError)) throw error;
    }
  }

  /** A command starts only now that the record which asks for it is durable (DESIGN §2). */
  onCommitted(transition: Transition): void {
    for (const effect of transition.effects) {
      if (effectKinds[effect.type] !== "command") continue;
      const command = { effect, instance: transition.instance, seq: transition.seq };
      if (this.actions.isFor(command)) this.actions.issue(command);
      else this.outbox.issue(command);
    }
    if (transition.event.type === "message.received") this.drives.consider();
    this.runs.consider(transition);
    this.deadlines.consider(transition);
    this.doubts.consider(transition);
    this.#snapshots?.consider();
    this.#committed$.next(transition);
  }

  onFailed(error: unknown): void {
    this.ports.logger("error", "the wallet stopped at a failure", { error });
    this.#stopped.abort();
    this.outbox.stop();
    this.drives.stop();
    this.actions.stop();
    this.deadlines.stop();
    this.connection.abandon();
    this.#committed$.error(error);
  }

  /** Ends the connection, then everything else; resolves when what was decided is durable. */
  async stop(): Promise<void> {
    this.outbox.stop();
    this.drives.stop();
    this.actions.stop();
    this.deadlines.stop();
    this.runs.stop();
    await this.connection.closed();
    await this.loop.close();
    await this.#snapshots?.finish();
    this.#stopped.abort();
    this.#committed$.complete();
  }

  async #query(effect: IssuedEffect): Promise<void> {
    switch (effect.type) {
      case "vetPackage":
        return this.vetting.vetPackage(effect.id, effect.params);
      case "openConnection":
        return this.connection.open();
      case "openStream":
        return this.connection.openStream();
      case "closeConnection":
        return this.connection.close();
      case "readNotices":
        return this.connection.readNotices(effect.params.mode);
      case "cancelTimer":
        return this.outbox.cancelTimer(effect.params.timer);
      default:
        throw new Error(`${effect.type} is no query`);
    }
  }
}
