import type { MailboxDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";
import { messageInstance } from "./message-instance.ts";
import { isPlausible } from "./plausible-checkpoint.ts";
import { CONNECTION, isUndecided, MAILBOX } from "./wallet-state.ts";

/** Life of the authorization for a page, in seconds; each page has its own (mailbox.md M-5, W-32). */
const PAGE_AUTHORIZATION_S = 600;

/** Thrown inside a reading of the mailbox when a package could not be decided: the machines have it all. */
export class Halt extends Error {
  override readonly name = "Halt";
}

/** Feeds what the mailbox delivers to the machines, one message after the other. */
export class Consumer {
  readonly #engine: Engine;
  #position: bigint;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#position = engine.loop.pending.checkpoint;
  }

  /**
   * Where reading goes on: the checkpoint, or beyond it where a message was consumed that may not move it
   * (mailbox.md W-11, W-33).
   */
  get position(): bigint {
    return this.#position;
  }

  /**
   * Reads pages until one is empty: the server's hint that there is no more is not trusted (mailbox.md W-7).
   *
   * @throws Halt, StreamError; HeartwoodError `MAILBOX_STUCK` if a page does not lead on (W-33)
   */
  async drain(session: ServerSession, signal: AbortSignal): Promise<void> {
    for (;;) {
      const after = this.#position;
      const messages = await this.#page(session, after, signal);
      if (messages.length === 0) return;
      for (const delivery of messages) await this.consume(delivery, signal);
      if (this.#position === after) {
        throw new HeartwoodError("MAILBOX_STUCK", `expected messages after checkpoint ${after}, got only earlier ones`, {
          retryable: true,
        });
      }
    }
  }

  /**
   * Decides one message, in order, exactly once.
   *
   * @throws Halt if it could not be decided: nothing after it may be consumed
   */
  async consume(delivery: MailboxDelivery, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const name = messageInstance(delivery.checkpoint, delivery.digest);
    await this.#resumeEarlier(name, delivery.checkpoint);
    await this.#decide(name, delivery);
    if (delivery.checkpoint > this.#position && delivery.checkpoint < 2n ** 63n) this.#position = delivery.checkpoint;
    const failures = this.#engine.loop.pending.contextOf(CONNECTION)?.failures;
    if (failures !== 0) this.#engine.feed({ instance: CONNECTION, event: { type: "mailbox.progressed" } });
  }

  /** A last message of several items may have been cut at the page's end: it is read again, whole (mailbox.md W-6). */
  async #page(session: ServerSession, after: bigint, signal: AbortSignal): Promise<readonly MailboxDelivery[]> {
    const { messages } = await this.#read(session, after, signal);
    const last = messages.at(-1);
    if (last === undefined || last.content.kind !== "arkoor" || last.checkpoint === 0n) return messages;
    const again = await this.#read(session, last.checkpoint - 1n, signal);
    const whole = again.messages.find(({ checkpoint }) => checkpoint === last.checkpoint);
    return whole === undefined ? messages : [...messages.slice(0, -1), whole];
  }

  #read(session: ServerSession, after: bigint, signal: AbortSignal) {
    const { keyring } = this.#engine;
    const authorization = keyring.mailboxAuthorization(PAGE_AUTHORIZATION_S);
    return session.readMailbox({ mailboxId: keyring.mailboxId, authorization, after }, { signal });
  }

  /** A package that was not decided comes first, even if the server does not deliver it again. */
  async #resumeEarlier(name: string, checkpoint: bigint): Promise<void> {
    for (const earlier of this.#engine.loop.pending.undecidedMessages()) {
      if (earlier.name === name || earlier.checkpoint > checkpoint) continue;
      await this.#engine.feed({ instance: earlier.name, event: { type: "message.redelivered" } }).done;
      this.#haltIfUndecided(earlier.name);
    }
  }

  async #decide(name: string, delivery: MailboxDelivery): Promise<void> {
    const { loop } = this.#engine;
    if (loop.pending.instances.has(name) || loop.pending.finished.has(name)) {
      await this.#engine.feed({ instance: name, event: { type: "message.redelivered" } }).done;
    } else {
      await this.#engine.feed({ instance: name, ...received(delivery) }).done;
    }
    this.#haltIfUndecided(name);
    this.#catchUp(delivery.checkpoint);
  }

  /** A message that was decided before its turn only moves the position when its turn comes. */
  #catchUp(checkpoint: bigint): void {
    const { loop, clock } = this.#engine;
    const position = (loop.pending.contextOf(MAILBOX)?.position ?? 0n) as bigint;
    if (checkpoint <= position || !isPlausible(checkpoint, clock.nowMs(), position)) return;
    this.#engine.feed({ instance: MAILBOX, event: { type: "message.consumed", checkpoint, advance: true } });
  }

  #haltIfUndecided(name: string): void {
    const state = this.#engine.loop.pending.instances.get(name)?.state;
    if (state !== undefined && isUndecided(state)) throw new Halt(`${name} is not decided`);
  }
}

function received({ checkpoint, digest, raw, content }: MailboxDelivery) {
  const entries = content.kind === "arkoor" ? content.vtxos.length : 0;
  return {
    event: { type: "message.received", checkpoint, digest, kind: content.kind, entries },
    blobs: [{ digest, data: raw }],
  };
}
