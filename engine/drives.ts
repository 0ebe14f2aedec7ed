import type { DriveOutcome, NoticeKind } from "../machines/drive.machine.ts";
import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";
import type { Drive } from "./fold-drives.ts";
import { DRIVE } from "./wallet-state.ts";

/**
 * Looks at what a notice is about, once: `driven` when a look that began after the notice came to its end, `unknown` for
 * a hash that nothing in the wallet has, `busy` to be asked again. What throws is asked again too.
 */
export type Driver = (drive: Drive, signal: AbortSignal) => Promise<DriveOutcome | "busy">;

/** Who looks at what. A kind without a driver keeps its marks, for a build that has one. */
export type Drivers = { readonly [Kind in NoticeKind]?: Driver };

/** Drives under way at once. */
const CONCURRENT_DRIVES = 8;
/** Wait before what was busy, failed or had no turn is looked at again while connected (mailbox.md W-24). */
const RETRY_MS = 30_000;

/**
 * Drives what notices ask for, while there is a session: a mark goes only after a drive that began after it, so neither a
 * busy nor an absent instance swallows a notice, and a restart finds it again.
 */
export class Drives {
  readonly #engine: Engine;
  readonly #drivers: Drivers;
  readonly #running = new Map<string, Promise<void>>();
  /** Notices (by record) that were busy or failed, until the retry. */
  readonly #waiting = new Set<bigint>();
  #cancelRetry: (() => void) | undefined;

  constructor(engine: Engine, drivers: Drivers) {
    this.#engine = engine;
    this.#drivers = drivers;
  }

  /** Starts what is marked in the durable state, neither under way nor waiting for its retry. */
  consider(): void {
    const { committed, connection } = this.#engine;
    if (connection.session === undefined || connection.signal.aborted) return;
    for (const [key, drive] of committed.drives) {
      if (this.#running.size >= CONCURRENT_DRIVES) return;
      const driver = this.#drivers[drive.kind];
      if (driver === undefined || this.#running.has(key) || this.#waiting.has(drive.seq)) continue;
      this.#running.set(key, this.#drive(key, driver, drive, connection.signal));
    }
  }

  /** Drives every mark once, those that wait for their retry too; resolves when no drive is under way any more. */
  async runAll(): Promise<void> {
    this.#waiting.clear();
    this.consider();
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Forgets the retry; the marks stay in the log. */
  stop(): void {
    this.#cancelRetry?.();
  }

  /** Never rejects. */
  async #drive(key: string, driver: Driver, drive: Drive, signal: AbortSignal): Promise<void> {
    const isDone = await this.#ask(driver, drive, signal);
    this.#running.delete(key);
    if (signal.aborted) return;
    if (!isDone) this.#retryLater(drive);
    this.consider();
  }

  async #ask(driver: Driver, drive: Drive, signal: AbortSignal): Promise<boolean> {
    const { kind, hash, seq: throughSeq } = drive;
    try {
      const outcome = await driver(drive, signal);
      if (outcome === "busy") return false;
      await this.#engine.feed({ instance: DRIVE, event: { type: "drive.finished", kind, hash, throughSeq, outcome } }).committed;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const details = { kind, hash, code: codeOf(error), message: messageOf(error) };
      this.#engine.ports.logger("warn", "what a notice asks for could not be looked at", details);
      return false;
    }
  }

  /** One retry waits at most, for all that wait then. */
  #retryLater({ seq }: Drive): void {
    this.#waiting.add(seq);
    if (this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#engine.clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      this.#waiting.clear();
      this.consider();
    });
  }
}
