import { Observable } from "rxjs";
import { concatMapHeld } from "../streams/credit.ts";
import type { MailboxDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";
import { messageInstance } from "./message-instance.ts";
import { noticeOf } from "./notice.ts";
import { received } from "./received.ts";

/** Life of an authorization for a page and for a subscription, in seconds (mailbox.md M-4, M-5). */
const PAGE_AUTHORIZATION_S = 600;
const STREAM_AUTHORIZATION_S = 10;
/** Pages that are read at a time; what is behind them is read at the next one. */
const MOST_PAGES = 100;

/**
 * Reads on behind a package that halts, for Lightning and round notices alone (mailbox.md W-23): they are taken in, the
 * position does not move, and everything else waits for its turn. In its turn a notice only moves the position.
 */
export class NoticeReader {
  readonly #engine: Engine;
  /** How far this process has read; from there on only what is new is read. */
  #position = 0n;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Reads pages until one is empty or does not lead on.
   *
   * @throws StreamError; HeartwoodError `MAILBOX_FLOODED`; the reason of `signal`
   */
  async drain(session: ServerSession, signal: AbortSignal): Promise<void> {
    const { keyring } = this.#engine;
    for (let page = 0; page < MOST_PAGES; page++) {
      const after = this.#after();
      const authorization = keyring.mailboxAuthorization(PAGE_AUTHORIZATION_S);
      const { messages } = await session.readMailbox({ mailboxId: keyring.mailboxId, authorization, after }, { signal });
      for (const delivery of messages) await this.#take(delivery, signal);
      if (this.#after() === after) return;
    }
  }

  /** Reads what is there, then what is posted, as a cold observable that only ever errors. */
  follow$(session: ServerSession, signal: AbortSignal): Observable<void> {
    const { keyring } = this.#engine;
    return new Observable((subscriber) => {
      let unsubscribe = (): void => {};
      const follow = (): void => {
        if (subscriber.closed) return;
        const authorization = (): Uint8Array => keyring.mailboxAuthorization(STREAM_AUTHORIZATION_S);
        const subscription = session
          .mailbox$({ mailboxId: keyring.mailboxId, authorization, after: this.#after() })
          .pipe(concatMapHeld((delivery) => this.#take(delivery, signal)))
          .subscribe(subscriber);
        unsubscribe = () => subscription.unsubscribe();
      };
      this.drain(session, signal).then(follow, (error: unknown) => subscriber.error(error));
      return () => unsubscribe();
    });
  }

  #after(): bigint {
    const { checkpoint } = this.#engine.loop.pending;
    return this.#position > checkpoint ? this.#position : checkpoint;
  }

  async #take(delivery: MailboxDelivery, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { loop, time } = this.#engine;
    const { checkpoint, digest } = delivery;
    const isBelieved = await time.isPlausible(checkpoint, signal);
    const name = messageInstance(checkpoint, digest);
    if (noticeOf(delivery) !== null && !loop.pending.instances.has(name) && !loop.pending.hasFinished(name)) {
      this.#engine.floodGate.check();
      await this.#engine.feed({ instance: name, ...received(delivery, { ahead: true }) }).committed;
    }
    if (checkpoint > this.#position && isBelieved) this.#position = checkpoint;
  }
}
