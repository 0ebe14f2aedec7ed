import { openOnLog } from "../../../engine/open-on-log.ts";
import type { Ports } from "../../../engine/ports.ts";
import type { Wallet } from "../../../engine/wallet.ts";
import { Fate, tick } from "../../../property-tests/deliveries/fate.ts";
import type { Pool } from "../../../property-tests/deliveries/pool.ts";
import { ScriptedChain } from "../../../property-tests/deliveries/scripted-chain.ts";
import { ScriptedServer } from "../../../property-tests/deliveries/scripted-server.ts";
import { VirtualClock } from "../../../property-tests/deliveries/virtual-clock.ts";
import { FRAME_OVERHEAD_BYTES } from "../../../store/frame.ts";
import { createMemoryLog, type EventLog } from "../../../store/index.ts";

/** Rounds of the event loop in which nothing happens before everything counts as settled. */
const QUIET_ROUNDS = 3;
const PAGE_ROWS = 100;
/** Key of a frame in the database. */
const KEY_BYTES = 9;

/** What a wallet wrote. */
export interface Written {
  readonly records: number;
  /** Frames with their keys, as LevelDB is given them. */
  readonly bytes: number;
}

/** A running wallet on a clock that only moves when told to, with a server and a chain that do what they are told. */
export class GrowingWallet {
  readonly clock = new VirtualClock();
  readonly server: ScriptedServer;
  readonly chain: ScriptedChain;
  readonly pool: Pool;
  #busy = 0;
  #records = 0;
  #bytes = 0;
  #seed = 1;
  #failure: unknown;
  #wallet: Wallet | undefined;

  constructor(pool: Pool) {
    this.pool = pool;
    this.chain = new ScriptedChain(pool);
    this.server = new ScriptedServer(pool, PAGE_ROWS, { onRegister: () => {}, onRecoveryPost: () => {} });
  }

  /** Opens the wallet and lets it become live. */
  static async live(pool: Pool): Promise<GrowingWallet> {
    const world = new GrowingWallet(pool);
    await world.#open();
    return world;
  }

  get wallet(): Wallet {
    if (this.#wallet === undefined) throw new Error("expected an open wallet, got none");
    return this.#wallet;
  }

  /** What was written while something happened. */
  async written(happening: () => Promise<void>): Promise<Written> {
    const [records, bytes] = [this.#records, this.#bytes];
    await happening();
    if (this.#failure !== undefined) throw this.#failure;
    return { records: this.#records - records, bytes: this.#bytes - bytes };
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    for (let more = true; more; ) {
      more = this.clock.moveTowards(untilMs);
      await this.settle();
    }
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_ROUNDS; ) {
      await tick();
      quiet = this.clock.fireDue() || this.#busy > 0 ? 0 : quiet + 1;
    }
  }

  async #open(): Promise<void> {
    const log = await createMemoryLog().open();
    const fate = new Fate();
    const ports: Ports = {
      clock: this.clock,
      randomness: { bytes: (length) => this.#random(length) },
      transport: () => this.server.connect(fate),
      logger: (level, message, details) => {
        if (level === "error") this.#failure ??= details?.error ?? new Error(message);
      },
      drivers: {},
    };
    this.#wallet = await openOnLog(this.#counted(log), this.pool.keys, ports, {
      seed: () => new Uint8Array(64),
      create: true,
      server: "https://ark.example",
      chain: this.chain.source(fate),
      network: "regtest",
    });
    this.#wallet.start();
    await this.settle();
  }

  /** Spread over all values, and the same in every run. */
  #random(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => {
      this.#seed = (this.#seed * 48_271) % 0x7fff_ffff;
      return this.#seed & 0xff;
    });
  }

  #counted(log: EventLog): EventLog {
    return {
      head: () => log.head(),
      read: (options) => log.read(options),
      get: (seq) => log.get(seq),
      close: () => log.close(),
      [Symbol.asyncDispose]: () => log.close(),
      append: async (request) => {
        this.#busy++;
        for (const body of request.bodies) {
          this.#records++;
          this.#bytes += KEY_BYTES + FRAME_OVERHEAD_BYTES + body.length;
        }
        try {
          return await log.append(request);
        } finally {
          this.#busy--;
        }
      },
    };
  }
}
