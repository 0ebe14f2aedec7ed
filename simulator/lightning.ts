import type { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { LightningBook } from "./lightning-book.ts";
import type { LightningFaults } from "./lightning-faults.ts";
import { LightningGrants } from "./lightning-grants.ts";
import { LightningNetwork } from "./lightning-network.ts";
import { LightningPool, type LightningPoolParts } from "./lightning-pool.ts";
import { LightningReceives } from "./lightning-receives.ts";
import { LightningSends } from "./lightning-sends.ts";
import { LightningStore } from "./lightning-store.ts";
import type { MailboxStore } from "./mailbox-store.ts";
import type { SimulatorNetwork } from "./network.ts";
import { SimulatedLightning } from "./simulated-lightning.ts";

/** What the Lightning side stands on. */
export interface LightningParts extends LightningPoolParts {
  readonly bitcoinNetwork: SimulatorNetwork;
  readonly cosigner: ArkoorCosigner;
  readonly mailboxes: MailboxStore;
  readonly faults: LightningFaults;
  readonly nowMs: () => number;
}

/** The Lightning side of the server and the network beyond it, wired together (lightning.md §13). */
export class Lightning {
  readonly sends: LightningSends;
  readonly receives: LightningReceives;
  /** For those who hold the simulator. */
  readonly outside: SimulatedLightning;
  readonly #book: LightningBook;
  readonly #nowMs: () => number;

  constructor(given: LightningParts) {
    const { random, terms, nowMs } = given;
    const store = new LightningStore();
    const book = new LightningBook({ ...given, store });
    const network = new LightningNetwork({
      ...given,
      store,
      book,
      network: given.bitcoinNetwork,
      random: random.fork("network"),
    });
    const pool = new LightningPool({ ...given, random: random.fork("pool") });
    const grants = new LightningGrants({ ...given, pool, random: random.fork("grants") });
    const parts = { ...given, store, book, network, grants };
    this.sends = new LightningSends(parts);
    this.receives = new LightningReceives(parts);
    this.outside = new SimulatedLightning({ ...parts, pool, receives: this.receives, fees: terms.fees });
    this.#book = book;
    this.#nowMs = nowMs;
  }

  /** Does what time alone does, as of now. */
  advance(): void {
    this.#book.advance(this.#nowMs());
  }
}
