import type { ChainSource } from "../chain/source.ts";
import { isPlausible } from "./plausible-checkpoint.ts";
import type { Clock } from "./ports.ts";

const DAY_MS = 86_400_000;

/** How long an answer of the chain, or none, stands before it is asked again. */
const ASK_AGAIN_MS = 60_000;

/**
 * The time by which a message's place is judged: the later of this machine's clock and the time of the chain's tip, so that
 * a clock that is far behind does not keep the checkpoint back (mailbox.md W-11).
 *
 * The checkpoint is no measure, or a server could climb a day with each message; nor is the date that the server tells, or
 * it could name any. The chain is asked only where the clock alone would not believe a place, or the server.
 */
export class ReferenceTime {
  readonly #clock: Clock;
  readonly #chain: ChainSource;
  /** The time of the tip, where it was asked for; else 0. */
  tipMs = 0;
  #askedAtMs = Number.NaN;

  constructor(clock: Clock, chain: ChainSource) {
    this.#clock = clock;
    this.#chain = chain;
  }

  /** Milliseconds since the Unix epoch, as far as is known. */
  nowMs(): number {
    const nowMs = this.#clock.nowMs();
    return Number.isFinite(nowMs) ? Math.max(nowMs, this.tipMs) : this.tipMs;
  }

  /** Whether a checkpoint may become the wallet's. Sources that have no answer leave it to the clock. @throws the reason of `signal` */
  async isPlausible(checkpoint: bigint, signal: AbortSignal): Promise<boolean> {
    if (isPlausible(checkpoint, this.nowMs())) return true;
    await this.#askChain(signal);
    return isPlausible(checkpoint, this.nowMs());
  }

  /**
   * By how much the server's date and the chain's tip are ahead of the clock. The chain is asked where the server's date is
   * farther ahead than its word alone counts (mailbox.md W-31, W-44). @throws the reason of `signal`
   */
  async aheadMs(serverDateMs: number | undefined, signal: AbortSignal): Promise<[number | undefined, number]> {
    const nowMs = this.#clock.nowMs();
    if (serverDateMs !== undefined && serverDateMs - nowMs > DAY_MS) await this.#askChain(signal);
    return [serverDateMs === undefined ? undefined : serverDateMs - nowMs, this.nowMs() - nowMs];
  }

  async #askChain(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (Math.abs(nowMs - this.#askedAtMs) < ASK_AGAIN_MS) return;
    this.#askedAtMs = nowMs;
    const answer = await this.#chain.tipTime?.({ signal });
    if (answer?.kind === "found") this.tipMs = Math.max(this.tipMs, answer.value);
  }
}
