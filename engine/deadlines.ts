import { machineNamed } from "../machines/registry.ts";
import type { Engine } from "./engine.ts";
import type { Transition } from "./transition.ts";
import type { LiveInstance } from "./wallet-rows.ts";
import { CONNECTION } from "./wallet-state.ts";

/** The event by which payments learn of the tip. */
const CHECKED = "deadline.checked";
/** How often the tip is looked at for them. */
const LOOK_MS = 60_000;

/**
 * Tells payments the tip, as long as the wallet runs and one of them has a deadline: also, and above all, while the server
 * does not answer, since then an exit may be the only remedy (lightning.md R7, S10). What is no news to a payment is not
 * recorded.
 */
export class Deadlines {
  readonly #engine: Engine;
  #cancelLook: (() => void) | undefined;
  #stopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Begins to look where a record gives reason to. */
  consider({ instance, machine }: Transition): void {
    if (this.#cancelLook === undefined && (instance === CONNECTION || this.#hasDeadlines(machine))) this.#lookLater();
  }

  /** Looks now, for a wallet that is not left running: resolves when what came of it is durable. */
  async look(): Promise<void> {
    if (this.#instances().length === 0) return;
    this.#cancelLook?.();
    await this.#look();
    await this.#engine.loop.settled();
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelLook?.();
  }

  #lookLater(): void {
    const isRunning = this.#engine.committed.instances.get(CONNECTION)?.state !== "Stopped";
    if (this.#stopped || !isRunning || this.#instances().length === 0) return;
    this.#cancelLook = this.#engine.clock.after(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { chain, signal } = this.#engine;
    const tip = await chain.tip({ signal }).catch(() => undefined);
    this.#cancelLook = undefined;
    if (this.#stopped) return;
    if (tip?.kind === "found") {
      const event = { type: CHECKED, tipHeight: tip.value.height };
      for (const instance of this.#instances()) this.#engine.notify({ instance, event });
    }
    this.#lookLater();
  }

  #instances(): string[] {
    const live = [...this.#engine.committed.instances];
    return live.filter(([, { machine }]: readonly [string, LiveInstance]) => this.#hasDeadlines(machine)).map(([name]) => name);
  }

  #hasDeadlines(machine: string): boolean {
    return Object.hasOwn(machineNamed(machine, this.#engine.committed.machines).events, CHECKED);
  }
}
