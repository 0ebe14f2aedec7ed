import type { SnapshotLog } from "../store/event-log.ts";
import { codeOf, messageOf } from "./errors.ts";
import type { Logger } from "./ports.ts";
import { encodeState } from "./state-snapshot.ts";
import type { WalletState } from "./wallet-state.ts";

/** Records after which a running wallet makes a snapshot, and after which one that is closed does. */
const RECORDS_RUNNING = 10_000n;
const RECORDS_CLOSING = 1_000n;
/** Rows that are worth a record: the larger a state is, the more records may be replayed before it is written again. */
const ROWS_RUNNING = 4n;
const ROWS_CLOSING = 20n;

/** Makes snapshots of the committed state now and then, so that opening follows the state and not the log. */
export class SnapshotKeeper {
  readonly #log: SnapshotLog;
  readonly #committed: WalletState;
  readonly #logger: Logger;
  #savedSeq: bigint;
  #saving: Promise<void> | undefined;

  /** @param savedSeq the record of the snapshot with which the log was opened; 0 if none */
  constructor(log: SnapshotLog, committed: WalletState, savedSeq: bigint, logger: Logger) {
    this.#log = log;
    this.#committed = committed;
    this.#savedSeq = savedSeq;
    this.#logger = logger;
  }

  /** Makes a snapshot if one is due, beside everything else. */
  consider(): void {
    if (this.#saving === undefined && this.#isDue(RECORDS_RUNNING, ROWS_RUNNING)) this.#start();
  }

  /** Makes the last one before the log is closed, if it is worth it. Never rejects. */
  async finish(): Promise<void> {
    await this.#saving;
    if (this.#isDue(RECORDS_CLOSING, ROWS_CLOSING)) this.#start();
    await this.#saving;
  }

  #isDue(records: bigint, rowsPerRecord: bigint): boolean {
    const { seq, coins, movements, instances, quarantine } = this.#committed;
    const rows = BigInt(coins.size + movements.size + instances.size + quarantine.size);
    const enough = rows / rowsPerRecord;
    return seq - this.#savedSeq >= (enough > records ? enough : records);
  }

  #start(): void {
    this.#saving = this.#save().finally(() => {
      this.#saving = undefined;
    });
  }

  async #save(): Promise<void> {
    // The commit that is being folded in comes to its end first.
    await pause();
    const state = this.#committed.clone();
    // A failed one is not tried again at once: the log is whole without it.
    this.#savedSeq = state.seq;
    try {
      const parts: Uint8Array[] = [];
      for (const part of encodeState(state)) {
        parts.push(part);
        await pause();
      }
      await this.#log.saveSnapshot({ seq: state.seq, parts });
    } catch (error) {
      this.#logger("error", "a snapshot could not be saved", { code: codeOf(error), message: messageOf(error) });
    }
  }
}

/** Lets everything else run. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
