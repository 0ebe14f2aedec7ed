import { type Clock, Heartwood, type Wallet, type WalletEvent, type WalletStatus } from "../../../engine/index.ts";
import { noteSalvage } from "../../../engine/note-salvage.ts";
import type { Simulator } from "../../../simulator/index.ts";
import { FRAME_OVERHEAD_BYTES } from "../../../store/frame.ts";
import { createMemoryLog, type EventLog, type MemoryLog } from "../../../store/index.ts";
import { wrapLog } from "../golden/wrapped-log.ts";
import { FastClock, fastChain, goLive, MNEMONIC } from "../helpers.ts";
import { type Fate, fatefulTransport, NonceWatch } from "./boundaries.ts";

/** Key of a frame in the database. */
const KEY_BYTES = 9;

/** One process of a wallet. */
export interface Life {
  readonly wallet: Wallet;
  /** Resolves when the process died. */
  readonly death: Promise<"died">;
  readonly isDead: () => boolean;
  /** Kills it: nothing is written any more. */
  readonly die: () => void;
  /** Ends it, dead or alive. */
  readonly end: () => Promise<void>;
}

/** A wallet whose processes die where they are told to; its log survives them. */
export class MortalWallet {
  readonly nonces = new NonceWatch();
  /** Commits after which the books did not balance. */
  readonly unbalanced: bigint[] = [];
  /** Told of what happens in every process, from its beginning on. */
  onEvent: (event: WalletEvent) => void = () => {};
  /** Frames with their keys, as LevelDB is given them. */
  readonly written = { records: 0, bytes: 0 };
  readonly #log: MemoryLog = createMemoryLog();
  readonly #simulator: Simulator;
  readonly #clock: Clock;

  constructor(simulator: Simulator, clock: Clock = new FastClock()) {
    this.#simulator = simulator;
    this.#clock = clock;
  }

  /** Between two processes: the log is as if it had lost its end. */
  async salvage(): Promise<void> {
    const log = await this.#log.open();
    const { seq } = log.head();
    const ports = { clock: this.#clock, randomness: { bytes: (length: number) => new Uint8Array(length) } };
    await noteSalvage(log, { keptSeq: seq, lostTo: seq + 9n, damage: [], keyGap: 20 }, ports);
    await log.close();
  }

  /**
   * Begins a process that is live, or died on the way.
   *
   * @param isLast whether it dies at the commit of these records, of which then none is written
   */
  async live(
    fateOf: (method: string) => Fate = () => "through",
    isLast: (bodies: readonly Uint8Array[]) => boolean = () => false,
  ): Promise<Life> {
    const log = await this.#log.open();
    let isDead = false;
    let onDeath: (how: "died") => void = () => {};
    const death = new Promise<"died">((resolve) => (onDeath = resolve));
    const die = (): void => {
      isDead = true;
      onDeath("died");
    };
    const append: EventLog["append"] = async (request) => {
      if (!isDead && isLast(request.bodies)) die();
      if (isDead) throw new Error("the process died");
      this.written.records += request.bodies.length;
      for (const { length } of request.bodies) this.written.bytes += KEY_BYTES + FRAME_OVERHEAD_BYTES + length;
      return log.append(request);
    };
    const { serverUrl } = this.#simulator;
    const wallet = await Heartwood.openOn(wrapLog(log, { append }), {
      mnemonic: () => MNEMONIC,
      server: serverUrl,
      chain: fastChain(this.#simulator),
      network: "regtest",
      create: true,
      ports: { clock: this.#clock, transport: fatefulTransport({ serverUrl, fateOf, die, nonces: this.nonces }) },
    });
    const watching = wallet.events$.subscribe({
      next: (event) => {
        if (!isBalanced(wallet.status())) this.unbalanced.push(event.seq);
        this.onEvent(event);
      },
      error: () => {},
    });
    await goLive(wallet).catch((error: unknown) => {
      if (!isDead) throw error;
    });
    const end = async (): Promise<void> => {
      watching.unsubscribe();
      await wallet.close().catch(() => {});
    };
    return { wallet, death, isDead: () => isDead, die, end };
  }
}

/** Whether the movements add up to the money, and the money to its parts (DESIGN §11, 5). */
function isBalanced({ balance, movements, vtxos }: WalletStatus): boolean {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  const moved = sum(movements.map(({ effectiveBalanceSats }) => effectiveBalanceSats));
  const held = sum(vtxos.map(({ amountSats }) => amountSats));
  return moved === balance.totalSats && held === balance.totalSats + balance.pendingOutSats;
}
