import { RunLoop } from "../../engine/run-loop.ts";
import { WalletState } from "../../engine/wallet-state.ts";
import type { SnapshotLog } from "../../store/index.ts";

/** A life of messages with names of some length: what is told of them is as large. */
export class Talkative {
  readonly #loop: RunLoop;
  readonly #name: string;
  #messages = 0n;

  constructor(log: SnapshotLog, nameLength: number) {
    const onFailed = (error: unknown) => {
      throw error;
    };
    this.#name = "x".repeat(nameLength);
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
      const instance = `message/${checkpoint}/${this.#name}`;
      const event = { type: "message.received", checkpoint, digest: "00".repeat(32), kind: "round", entries: 0 };
      this.#loop.dispatch({ instance, event });
    }
    await this.#loop.settled();
  }
}
