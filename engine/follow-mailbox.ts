import { Observable } from "rxjs";
import { concatMapHeld } from "../streams/credit.ts";
import type { ServerSession } from "../streams/session.ts";
import { authorized$ } from "./clock-skew.ts";
import { Consumer } from "./consumer.ts";
import type { Engine } from "./engine.ts";
import type { Turns } from "./turns.ts";

/** Life of the authorization that opens a subscription, in seconds (mailbox.md M-4). */
const AUTHORIZATION_S = 10;
/** Quiet after a message before the mailbox is read to its end. */
const SETTLE_MS = 1_000;

/**
 * Consumes what is posted, one message after the other, as a cold observable that only ever errors. Whoever reads beside
 * it does so in its turns.
 *
 * A server's stream can stop in front of a backlog until the next notice (mailbox.md §3.6), so after a message the
 * mailbox is read to its end too, as soon as the stream is quiet.
 */
export function followMailbox(engine: Engine, session: ServerSession, turns: Turns, signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    // From the checkpoint again: behind a position that cannot be believed the stream would stay silent (mailbox.md W-11).
    const consumer = new Consumer(engine);
    let cancelSettling = (): void => {};
    const settle = (): void => {
      turns.run(() => new Consumer(engine).drain(session, signal)).catch((error: unknown) => subscriber.error(error));
    };
    const mailbox$ = session.mailbox$({
      mailboxId: engine.keyring.mailboxId,
      authorization: () => engine.keyring.mailboxAuthorization(AUTHORIZATION_S),
      after: consumer.position,
    });
    const subscription = authorized$(engine.keyring, engine.clock, mailbox$)
      .pipe(
        concatMapHeld(async (delivery) => {
          cancelSettling();
          await turns.run(() => consumer.consume(session, delivery, signal));
          cancelSettling = engine.clock.after(SETTLE_MS, settle);
        }),
      )
      .subscribe(subscriber);
    return () => {
      cancelSettling();
      subscription.unsubscribe();
    };
  });
}
