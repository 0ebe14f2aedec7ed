import type { Engine } from "./engine.ts";
import type { Transition } from "./transition.ts";
import { CONNECTION } from "./wallet-state.ts";

/** What the owner wants of the connection: to follow the mailbox, or not. */
export class RunRequest {
  readonly #engine: Engine;
  /** Whether the wallet was started while a sync read its mailbox over a connection of its own. */
  #startsAfterSync = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Follows the mailbox from now on, or from the end of the sync that is under way.
   *
   * @throws HeartwoodError `WALLET_CLOSED`, `WALLET_FAILED`
   */
  start(): void {
    const { state = "Stopped", context } = this.#engine.loop.pending.instances.get(CONNECTION) ?? {};
    this.#startsAfterSync = state !== "Stopped" && context?.mode === "drain";
    this.#engine.feed({ instance: CONNECTION, event: { type: "run.requested", mode: "live" } });
  }

  /** Ends whatever reads the mailbox, also what reads the notices behind a package that halted a sync. */
  stop(): void {
    this.#startsAfterSync = false;
    this.#engine.notify({ instance: CONNECTION, event: { type: "stop.requested" } });
    this.#engine.connection.abandon();
  }

  /** Starts what waited for the end of a sync. */
  consider({ instance, state }: Transition): void {
    if (!this.#startsAfterSync || instance !== CONNECTION || state !== "Stopped") return;
    if (this.#engine.loop.pending.instances.get(CONNECTION)?.state !== "Stopped") return; // another sync was faster
    this.#startsAfterSync = false;
    this.#engine.notify({ instance: CONNECTION, event: { type: "run.requested", mode: "live" } });
  }
}
