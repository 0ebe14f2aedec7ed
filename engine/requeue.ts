import type { Engine } from "./engine.ts";
import { codeOf, messageOf } from "./errors.ts";

/** How often a connected wallet looks for a new tip. */
const TIP_POLL_MS = 30_000;

/**
 * Looks at held items again: when a connection caught up, and on every new tip while it lasts (mailbox.md W-4).
 *
 * An answer that changes nothing is not recorded (DESIGN §7).
 */
export class Requeue {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  #tipHeight: number | undefined;

  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  /** Polls the tip until the signal. */
  start(): void {
    const poll = (): void => {
      this.#signal.removeEventListener("abort", cancel);
      void this.#poll();
    };
    const cancel = this.#engine.clock.after(TIP_POLL_MS, poll);
    this.#signal.addEventListener("abort", cancel, { once: true });
  }

  /** Vets every held item that is not refused for good; ends quietly where nobody answers. */
  async vetAll(): Promise<void> {
    for (const entry of [...this.#engine.loop.pending.quarantine.values()]) {
      if (entry.permanent || this.#signal.aborted) continue;
      try {
        const { verdict, blobs } = await this.#engine.vetting.vetHeld(entry, this.#signal);
        this.#signal.throwIfAborted();
        if (verdict.kind === "refused" && verdict.item.code === entry.code) continue;
        this.#engine.feed({ instance: `quarantined/${entry.key}`, event: { type: "item.vetted", verdict }, blobs });
      } catch (error) {
        if (this.#signal.aborted || this.#engine.signal.aborted) return;
        const details = { key: entry.key, code: codeOf(error), message: messageOf(error) };
        this.#engine.ports.logger("info", "a held item could not be vetted", details);
        return;
      }
    }
  }

  async #poll(): Promise<void> {
    try {
      const tip = await this.#engine.chain.tip({ signal: this.#signal, fresh: true });
      if (tip.kind === "found" && tip.value.height !== this.#tipHeight) {
        this.#tipHeight = tip.value.height;
        await this.vetAll();
      }
    } catch (error) {
      if (!this.#signal.aborted) this.#engine.ports.logger("info", "the tip could not be asked for", { code: codeOf(error) });
    }
    if (!this.#signal.aborted) this.start();
  }
}
