import type { Subscription } from "rxjs";
import { checkNetwork } from "../chain/network.ts";
import { STEADY_MS } from "../machines/connection.machine.ts";
import type { RunMode } from "../machines/effects.ts";
import { controllerForMany, forMany } from "../streams/for-many.ts";
import type { ServerSession } from "../streams/session.ts";
import { checkBackup } from "./check-backup.ts";
import { Consumer, Halt, type ReadingEnd } from "./consumer.ts";
import type { Engine } from "./engine.ts";
import { codeOf, HeartwoodError, messageOf } from "./errors.ts";
import { followMailbox } from "./follow-mailbox.ts";
import { orLater } from "./or-later.ts";
import { pinServer } from "./pin-server.ts";
import { NoticeReader } from "./read-notices.ts";
import { recognise } from "./recognise.ts";
import { finishReconciling } from "./reconcile.ts";
import { Requeue } from "./requeue.ts";
import { takeRestoredHtlcs } from "./restored-htlcs.ts";
import { Turns } from "./turns.ts";
import { CONNECTION } from "./wallet-state.ts";
import { watchChain } from "./watch-chain.ts";
import { watchServer } from "./watch-server.ts";

/** Answers that no retry changes: the server is not this wallet's, or the owner's input is wrong. */
const REFUSALS: ReadonlySet<string> = new Set([
  "SERVER_KEY_CHANGED",
  "MAILBOX_KEY_CHANGED",
  "SERVER_WRONG_NETWORK",
  "SERVER_TOO_OLD",
  "CLIENT_TOO_OLD",
  "BAD_URL",
  "BAD_OPTION",
  "PLAINTEXT_REFUSED",
  "CHAIN_WRONG_NETWORK",
]);

/** The mailbox is read at the latest so long after HTLCs of a restore were asked about first. */
const HEAD_START_MS = 5_000;

/** The wait before a good connection that broke is opened again (mailbox.md M-22): half of it to all of it. */
const REOPEN_MS = 1_000;

interface Connection {
  readonly stop: AbortController;
  /** Opened in place of a good one that broke: the machines are told only if that fails. */
  readonly isQuiet: boolean;
  /** Since when it follows the mailbox. */
  liveSinceMs?: number;
  session?: ServerSession;
  /** Who follows the mailbox, and who reads it beside, one after the other. */
  readonly turns: Turns;
  subscription?: Subscription;
}

/** Carries out what the connection machine asks for: one connection at a time, and everything in it cancellable. */
export class ConnectionDriver {
  readonly #engine: Engine;
  #current: Connection | undefined;
  #closing: Promise<void> = Promise.resolve();
  #lastError: unknown;
  #chainIsRight = false;
  /** Whether every held item was looked at once since the start (mailbox.md W-4). */
  #hasLookedAtAll = false;
  /** Whether this build looked for messages that it knows and an earlier one did not. */
  #hasRecognised = false;
  readonly #notices: NoticeReader;
  /** Pages that a drain reads at most. */
  mostPages = Number.POSITIVE_INFINITY;
  /** How the last reading of a new connection ended. */
  readingEnd: ReadingEnd = "notSeen";

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#notices = new NoticeReader(engine);
  }

  /** The session in use, if any. */
  get session(): ServerSession | undefined {
    return this.#current?.session;
  }

  /** Aborted when the connection in use is let go. */
  get signal(): AbortSignal {
    return this.#current?.stop.signal ?? AbortSignal.abort(new HeartwoodError("WALLET_CLOSED", "there is no connection"));
  }

  /** Why the last connection ended, if it failed. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Connects, pins, and catches up in the background; the answers are events. */
  async open(): Promise<void> {
    this.abandon();
    const connection: Connection = { stop: controllerForMany(), isQuiet: false, turns: new Turns() };
    this.#current = connection;
    void this.#catchUp(connection).catch((error) => this.#report(connection, error));
  }

  /** Subscribes to what is posted from now on. */
  async openStream(): Promise<void> {
    const connection = this.#current;
    const session = connection?.session;
    if (connection === undefined || session === undefined) return;
    connection.liveSinceMs = this.#engine.clock.nowMs();
    const fail = (error: unknown): void => this.#report(connection, error);
    connection.subscription = followMailbox(this.#engine, session, connection.turns, connection.stop.signal).subscribe({
      error: fail,
    });
    new Requeue(this.#engine, connection.stop.signal).start({ all: !this.#hasLookedAtAll });
    this.#hasLookedAtAll = true;
    watchServer(this.#engine, session, connection.stop.signal, () => this.#reopen());
  }

  /**
   * Reads the mailbox to its end beside the stream, in its turn (mailbox.md M-54); undefined while there is no stream. What
   * it fails with is the caller's business, and ends no connection.
   */
  drainBeside(signal: AbortSignal, mostPages: number): Promise<ReadingEnd> | undefined {
    const { session, stop, turns, liveSinceMs } = this.#current ?? {};
    if (session === undefined || stop === undefined || liveSinceMs === undefined) return undefined;
    const either = forMany(AbortSignal.any([stop.signal, signal]));
    return turns?.run(() => new Consumer(this.#engine).drain(session, either, mostPages));
  }

  /**
   * A package halts: what was under way is aborted, the session stays for the notices behind it (mailbox.md W-23). In a
   * drain they are read once and acted on, then the connection is closed; else until it is opened again.
   */
  async readNotices(mode: RunMode): Promise<void> {
    const { session, stop, subscription } = this.#current ?? {};
    if (session === undefined) return this.abandon();
    stop?.abort();
    subscription?.unsubscribe();
    const connection: Connection = { stop: controllerForMany(), isQuiet: true, turns: new Turns(), session };
    this.#current = connection;
    const { signal } = connection.stop;
    if (mode === "drain") {
      const read = this.#notices.drain(session, signal).then(() => this.#engine.loop.settled());
      const taken = read.then(() => takeRestoredHtlcs(this.#engine, session, signal));
      const acted = taken.then(() => this.#actOnNotices()).catch((error) => this.#tellNotices(connection, error));
      this.#closing = Promise.allSettled([this.#closing, acted]).then(() => this.#endNotices(connection, session));
    } else {
      const lose = (error: unknown): void => {
        this.#tellNotices(connection, error);
        if (connection === this.#current) this.abandon();
      };
      connection.subscription = this.#notices.follow$(session, signal).subscribe({ error: lose });
      this.#engine.drives.consider();
      this.#engine.actions.drive();
      takeRestoredHtlcs(this.#engine, session, signal).catch((error) => this.#tellNotices(connection, error));
    }
  }

  /** Payments go on while a package is in the way, and what a notice asked of them is done. */
  async #actOnNotices(): Promise<void> {
    await this.#engine.drives.runAll();
    this.#engine.actions.drive();
    await this.#engine.actions.idle();
  }

  /** Lets the connection go; what was under way is aborted. */
  async close(): Promise<void> {
    this.abandon();
  }

  /** As {@link close}, for an engine that cannot record any more. */
  abandon(): void {
    const connection = this.#current;
    if (connection === undefined) return;
    this.#current = undefined;
    connection.stop.abort();
    connection.subscription?.unsubscribe();
    const before = this.#closing;
    this.#closing = Promise.allSettled([before, connection.session?.close()]).then(() => {});
  }

  /** Resolves when every connection that was let go is closed. */
  closed(): Promise<void> {
    return this.#closing;
  }

  async #catchUp(connection: Connection): Promise<void> {
    const { signal } = connection.stop;
    const engine = this.#engine;
    await this.#closing;
    await this.#checkChain(signal);
    const session = await this.#connect(signal);
    connection.session = session;
    if (signal.aborted) return session.close();
    pinServer(engine, session.info, { isPlaceProven: this.#chainIsRight });
    if (!connection.isQuiet) engine.feed({ instance: CONNECTION, event: { type: "connection.opened" } });
    engine.drives.consider();
    engine.actions.drive();
    await engine.doubts.ask(signal);
    this.#hasRecognised ||= await recognise(engine, session, signal);
    await engine.recovery.scan(session, signal);
    const taken = takeRestoredHtlcs(engine, session, signal);
    await orLater(taken, HEAD_START_MS, engine.clock);
    const mode = engine.loop.pending.contextOf(CONNECTION)?.mode;
    this.readingEnd = await new Consumer(engine).drain(session, signal, mode === "drain" ? this.mostPages : undefined);
    if (this.readingEnd === "pagesSpent") return engine.notify({ instance: CONNECTION, event: { type: "stop.requested" } });
    if (engine.loop.pending.isReconciling()) {
      await engine.actions.idle();
      await engine.doubts.ask(signal);
    }
    const isDrain = mode === "drain";
    // Each is asked about once before a restore that is not left running ends.
    if (isDrain && (await taken)) await engine.actions.idle();
    // Before that nothing is paid: an invoice could be paid once more. If the connection ends, the next one begins again.
    const concluded = taken.then(() => (signal.aborted ? undefined : engine.recovery.conclude()));
    concluded.catch((error) => this.#report(connection, error));
    finishReconciling(engine);
    // Who follows the mailbox is live first, and looks at held items and the tip beside it.
    if (isDrain) await concluded;
    if (isDrain) {
      await new Requeue(engine, signal).vetAll();
      await watchChain(engine, signal);
    }
    await engine.loop.settled();
    await engine.outbox.flush(signal);
    if (isDrain) await checkBackup(engine, session, signal);
    if (isDrain) await this.#actOnNotices();
    if (isDrain) await engine.doubts.ask(signal);
    signal.throwIfAborted();
    if (connection.isQuiet) await this.openStream();
    else engine.feed({ instance: CONNECTION, event: { type: "mailbox.caughtUp" } });
  }

  #tellNotices(connection: Connection, error: unknown): void {
    if (connection.stop.signal.aborted || this.#engine.signal.aborted) return;
    const details = { code: codeOf(error), message: messageOf(error) };
    this.#engine.ports.logger("info", "notices behind a halted package could not be read", details);
  }

  async #endNotices(connection: Connection, session: ServerSession): Promise<void> {
    connection.stop.abort();
    if (connection === this.#current) this.#current = undefined;
    await session.close().catch(() => {});
  }

  async #connect(signal: AbortSignal): Promise<ServerSession> {
    const { keyring, place, ports, time } = this.#engine;
    const session = await ports.transport({ serverUrl: place.serverUrl, network: place.network, signal });
    [keyring.serverAheadMs, keyring.tipAheadMs] = await time.aheadMs(session.serverDateMs, signal);
    return session;
  }

  /** A chain source of another network is refused; one that does not answer halts packages, not the connection. */
  async #checkChain(signal: AbortSignal): Promise<void> {
    const { chain, place } = this.#engine;
    if (this.#chainIsRight) return;
    try {
      await checkNetwork(chain, place.network, { signal });
      this.#chainIsRight = true;
    } catch (error) {
      signal.throwIfAborted();
      if (codeOf(error) === "CHAIN_WRONG_NETWORK") throw error;
    }
  }

  /** A good connection breaks now and then. It is opened again without a record, unless that fails (DESIGN §7). */
  #reopen(): void {
    const { clock, ports } = this.#engine;
    this.abandon();
    const connection: Connection = { stop: controllerForMany(), isQuiet: true, turns: new Turns() };
    this.#current = connection;
    const [random = 0] = ports.randomness.bytes(1);
    const cancel = clock.after(Math.floor((REOPEN_MS / 2) * (1 + random / 256)), () => {
      connection.stop.signal.removeEventListener("abort", cancel);
      void this.#catchUp(connection).catch((error) => this.#report(connection, error));
    });
    connection.stop.signal.addEventListener("abort", cancel, { once: true });
  }

  #isGood({ liveSinceMs }: Connection): boolean {
    return liveSinceMs !== undefined && this.#engine.clock.nowMs() - liveSinceMs >= STEADY_MS;
  }

  #report(connection: Connection, error: unknown): void {
    const engine = this.#engine;
    if (connection !== this.#current || connection.stop.signal.aborted || engine.signal.aborted) return;
    if (error instanceof Halt) return; // the machines decided what follows
    const code = codeOf(error);
    this.#lastError = error;
    engine.ports.logger("warn", "the connection ended", { code, message: messageOf(error) });
    const type = REFUSALS.has(code) ? "connection.refused" : "connection.failed";
    if (this.#isGood(connection) && isRetryable(error)) this.#reopen();
    else engine.notify({ instance: CONNECTION, event: { type, code } });
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && "retryable" in error && error.retryable === true;
}
