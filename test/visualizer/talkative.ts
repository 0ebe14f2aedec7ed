import { RunLoop } from "../../engine/run-loop.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { SnapshotLog } from "../../store/index.ts";

/** A life of messages that nobody has to send. */
export class Talkative {
  readonly #loop: RunLoop;
  #messages = 0n;

  constructor(log: SnapshotLog) {
    const onFailed = (error: unknown) => {
      throw error;
    };
    this.#loop = new RunLoop({
      log,
      committed: new WalletState(),
      clock: { nowMs: () => 0, after: () => () => {} },
      randomness: { bytes: (length) => new Uint8Array(length) },
      listener: { onCommitted: () => {}, onFailed },
    });
  }

  /** Takes so many messages in, each at a checkpoint of its own. */
  async receive(messages: number): Promise<void> {
    for (let message = 0; message < messages; message++) {
      const checkpoint = ++this.#messages;
      const instance = `message/${checkpoint}/x`;
      const event = { type: "message.received", checkpoint, digest: "00".repeat(32), kind: "round", entries: 0 };
      this.#loop.dispatch({ instance, event });
    }
    await this.#loop.settled();
  }
}
