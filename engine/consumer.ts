import type { MailboxDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import { authorized } from "./clock-skew.ts";
import type { Engine } from "./engine.ts";
import { codeOf, HeartwoodError } from "./errors.ts";
import { isUndecided, messageInstance } from "./message-instance.ts";
import { complaintOf } from "./notice.ts";
import { checkpointTimeMs, isPlausible } from "./plausible-checkpoint.ts";
import { readAsStream } from "./read-stream.ts";
import { received } from "./received.ts";
import type { Dispatch } from "./run-loop.ts";
import { CONNECTION, MAILBOX } from "./wallet-state.ts";

/** Life of the authorization for a page, in seconds, from when it is asked for (mailbox.md M-5, W-32). */
const PAGE_AUTHORIZATION_S = 600;

/** Messages out of order after which a reading is dropped (mailbox.md W-46). */
const OUT_OF_ORDER_LIMIT = 3;
/** VTXOs of the largest package that a server takes (mailbox.md §3.7). */
const MOST_ENTRIES = 100;
/** A page, or a message, is larger than what is received at once (mailbox.md §2.4). */
const TOO_LARGE = "MESSAGE_TOO_LARGE";
/** Messages without a place that are read one after the other in search of one that has a place. */
const MOST_PLACELESS = 1_000;
/** Positions are asked for as signed numbers (mailbox.md §3.3). */
const END_OF_POSITIONS = 2n ** 63n;

/**
 * How a reading ended: at the end of the mailbox, after as many pages as were asked for, or where the last messages do not
 * say where they stand, so that nothing tells whether more follows them.
 */
export type ReadingEnd = "caughtUp" | "pagesSpent" | "notSeen";

/** Thrown inside a reading of the mailbox when a package could not be decided: the machines have it all. */
export class Halt extends Error {
  override readonly name = "Halt";
}

/** Feeds what the mailbox delivers to the machines, one message after the other. */
export class Consumer {
  readonly #engine: Engine;
  readonly #ahead: boolean;
  #position: bigint;
  #outOfOrder = 0;
  /** VTXOs of the package that was the only message of its page, when it was read once more; else 0. */
  #aloneInPage = 0;
  /** Digests of messages that were seen whole, by checkpoint: of the last page that was read for that. */
  #whole: ReadonlyMap<bigint, string> = new Map();

  /** @param ahead whether messages are given to it out of their turn: their places then move no checkpoint */
  constructor(engine: Engine, { ahead = false }: { readonly ahead?: boolean } = {}) {
    this.#engine = engine;
    this.#ahead = ahead;
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
   * @param mostPages ends it sooner (M-25)
   * @throws Halt, StreamError; HeartwoodError `MAILBOX_STUCK` if a page does not lead on (W-33), `MAILBOX_FLOODED`
   */
  async drain(session: ServerSession, signal: AbortSignal, mostPages = Number.POSITIVE_INFINITY): Promise<ReadingEnd> {
    for (let pages = 0; pages < mostPages; pages++) {
      const after = this.#position;
      const page = await this.#read(session, after, signal).catch((error: unknown) => this.#readAsStream(session, error, signal));
      this.#engine.pagesRead++;
      if (page === undefined) continue;
      const { messages } = page;
      const last = messages.at(-1);
      if (last === undefined) return this.#end("caughtUp", signal);
      this.#doubtPages();
      for (const delivery of messages.slice(0, -1)) await this.#consume([delivery], signal);
      await this.consume(session, last, signal);
      // What tells no place of its own is kept, and no page leads past it.
      if (messages.every(isPlaceless)) {
        if (await this.#readBehind(session, signal)) continue;
        return this.#end("notSeen", signal);
      }
      if (this.#position === after) throw stuck(`messages after checkpoint ${after}`, last.checkpoint);
    }
    return "pagesSpent";
  }

  /**
   * Looks for a place behind messages that say none: a stream brings what is behind them without one.
   *
   * @returns whether there was one
   */
  async #readBehind(session: ServerSession, signal: AbortSignal): Promise<boolean> {
    const after = this.#position;
    let left = MOST_PLACELESS;
    await readAsStream(this.#engine, session, after, signal, async (delivery) => {
      await this.consume(session, delivery, signal);
      return this.#position === after && --left > 0;
    });
    if (this.#position !== after) return true;
    const message = "the last messages of the mailbox do not say where they stand: nothing tells whether more follows";
    this.#engine.ports.logger("warn", message, { after });
    return false;
  }

  /** A page that is too large to be received is read as a stream, from which each message comes by itself (DESIGN §7). */
  async #readAsStream(session: ServerSession, error: unknown, signal: AbortSignal): Promise<undefined> {
    if (codeOf(error) !== TOO_LARGE) throw error;
    const after = this.#position;
    await readAsStream(this.#engine, session, after, signal, async (delivery) => {
      await this.consume(session, delivery, signal);
      return true;
    });
    if (this.#position === after) throw error;
  }

  async #end(how: ReadingEnd, signal: AbortSignal): Promise<ReadingEnd> {
    await this.#resume(signal, () => true);
    return how;
  }

  /**
   * Decides one message that may have been cut, in order, exactly once. One out of order is decided too, but a few of
   * them end the reading.
   *
   * The tail of a package that was cut at a page's end is never delivered again, so a package is read once more from
   * right before it (mailbox.md W-6); in a stream those ends cannot be seen. What was delivered comes behind the answer.
   *
   * @throws Halt if it could not be decided: nothing after it may be consumed; HeartwoodError `MAILBOX_STUCK` (W-46)
   */
  async consume(session: ServerSession, delivery: MailboxDelivery, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { checkpoint, content, digest } = delivery;
    const mayBeCut = content.kind === "arkoor" && content.vtxos.length > 0 && this.#whole.get(checkpoint) !== digest;
    this.#aloneInPage = 0;
    if (!mayBeCut || checkpoint === 0n || checkpoint >= END_OF_POSITIONS) return this.#consume([delivery], signal);
    const page = await this.#read(session, checkpoint - 1n, signal).catch((error: unknown) => {
      if (codeOf(error) !== TOO_LARGE) throw error;
      return undefined; // nothing tells whether it was cut: a page of honest packages is never that large
    });
    // Only the last one of a page can be cut, so those before it need no look of their own when they come.
    this.#whole = new Map(page?.messages.slice(0, -1).map((message) => [message.checkpoint, message.digest]));
    const whole = page?.messages.find((message) => message.checkpoint === checkpoint);
    const alone = page?.messages.length === 1 ? whole?.content : undefined;
    this.#aloneInPage = alone?.kind === "arkoor" ? alone.vtxos.length : 0;
    await this.#consume(whole === undefined || whole.digest === digest ? [delivery] : [whole, delivery], signal);
  }

  /** A package that fills a page to the end may have been cut there, and nothing can tell (mailbox.md W-6): the owner is told. */
  #doubtPages(): void {
    const entries = this.#aloneInPage;
    if (entries === 0 || entries >= MOST_ENTRIES || this.#engine.hasDoubtedPages) return;
    this.#engine.hasDoubtedPages = true;
    const message = "pages of the server hold fewer VTXOs than a package may have: the rest of larger packages cannot be read";
    this.#engine.ports.logger("warn", message, { entries });
  }

  /** Decides the copies of one message. */
  async #consume(copies: readonly [MailboxDelivery, ...MailboxDelivery[]], signal: AbortSignal): Promise<void> {
    const { loop } = this.#engine;
    const [first] = copies;
    const { checkpoint } = first;
    const before = loop.pending.checkpoint;
    this.#engine.floodGate.check();
    for (const copy of copies) {
      const name = messageInstance(checkpoint, copy.digest);
      await this.#resume(signal, (earlier) => earlier.name !== name && earlier.checkpoint <= checkpoint);
      await this.#decide(name, copy, signal);
    }
    // Only what moves the checkpoint is progress: a server that repeats itself must not keep the waits short.
    const hasFailed = loop.pending.contextOf(CONNECTION)?.failures !== 0;
    if (hasFailed && loop.pending.checkpoint > before && !this.#engine.floodGate.isFlooded()) {
      this.#engine.feed({ instance: CONNECTION, event: { type: "mailbox.progressed" } });
    }
    if (checkpoint > this.#position && checkpoint < END_OF_POSITIONS) this.#position = checkpoint;
    else if (!isPlaceless(first) && ++this.#outOfOrder > OUT_OF_ORDER_LIMIT)
      throw stuck(`ascending checkpoints after ${this.#position}`, checkpoint);
  }

  #read(session: ServerSession, after: bigint, signal: AbortSignal) {
    const { keyring } = this.#engine;
    return authorized(keyring, () => {
      const authorization = keyring.mailboxAuthorization(PAGE_AUTHORIZATION_S);
      return session.readMailbox({ mailboxId: keyring.mailboxId, authorization, after }, { signal });
    });
  }

  /**
   * Packages that were not decided come first, even if the server does not deliver them again: one that stands at or
   * before the position it never does.
   */
  async #resume(signal: AbortSignal, isDue: (message: { name: string; checkpoint: bigint }) => boolean): Promise<void> {
    for (const { name } of this.#engine.loop.pending.undecidedMessages().filter(isDue)) {
      signal.throwIfAborted();
      await this.#engine.feed({ instance: name, event: { type: "message.redelivered" } }).done;
      this.#haltIfUndecided(name);
    }
  }

  async #decide(name: string, delivery: MailboxDelivery, signal: AbortSignal): Promise<void> {
    const { loop, time } = this.#engine;
    const isBelieved = await time.isPlausible(delivery.checkpoint, signal);
    // Right before the event: what it leads to is answered over the connection in use.
    signal.throwIfAborted();
    const state = loop.pending.instances.get(name)?.state;
    const isRecognised = state === "Kept" && delivery.content.kind !== "unknown";
    if (!isRecognised && (state !== undefined || loop.pending.hasFinished(name))) {
      await this.#feed(delivery, { instance: name, event: { type: "message.redelivered" } });
    } else {
      this.#complain(delivery, isBelieved);
      await this.#feed(delivery, { instance: name, ...received(delivery, { ahead: this.#ahead }) });
    }
    this.#haltIfUndecided(name);
    this.#catchUp(delivery.checkpoint);
  }

  /** Until it is decided its bytes are at hand, whether the log keeps them or not. */
  async #feed({ digest, raw }: MailboxDelivery, dispatch: Dispatch): Promise<void> {
    const release = this.#engine.blobs.lend(digest, raw);
    try {
      await this.#engine.feed(dispatch).done;
    } finally {
      release();
    }
  }

  /**
   * A notice that breaks the protocol is passed over, or acted on as far as it can be; it is told once. So is a place that
   * cannot be believed: either clock may be wrong (mailbox.md W-11).
   */
  #complain(delivery: MailboxDelivery, isBelieved: boolean): void {
    const complaint = complaintOf(delivery);
    const { checkpoint, content } = delivery;
    if (!isBelieved) {
      const message = "a message says that it was posted more than a day from now: the wallet's checkpoint stays before it";
      this.#engine.ports.logger("warn", message, { checkpoint, postedAtMs: checkpointTimeMs(checkpoint) });
    }
    if (complaint === undefined) return;
    const message = `the server broke the protocol: ${complaint}, got another length`;
    this.#engine.ports.logger("error", message, { checkpoint, kind: content.kind });
  }

  /** A message that was decided before its turn only moves the position when its turn comes. */
  #catchUp(checkpoint: bigint): void {
    const { loop, time } = this.#engine;
    const position = (loop.pending.contextOf(MAILBOX)?.position ?? 0n) as bigint;
    if (this.#ahead || checkpoint <= position || !isPlausible(checkpoint, time.nowMs())) return;
    this.#engine.feed({ instance: MAILBOX, event: { type: "message.consumed", checkpoint, advance: true } });
  }

  #haltIfUndecided(name: string): void {
    const state = this.#engine.loop.pending.instances.get(name)?.state;
    if (state !== undefined && isUndecided(state)) throw new Halt(`${name} is not decided`);
  }
}

/** Bytes that do not say where they stand: no message at all, or an empty one. */
function isPlaceless({ checkpoint, content, raw }: MailboxDelivery): boolean {
  return checkpoint === 0n && (content.kind === "malformed" || raw.length === 0);
}

function stuck(expected: string, got: bigint | undefined): HeartwoodError {
  return new HeartwoodError("MAILBOX_STUCK", `expected ${expected}, got ${got}`, { retryable: true });
}
