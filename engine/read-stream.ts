import { concatMapHeld } from "../streams/credit.ts";
import type { MailboxDelivery } from "../streams/delivery.ts";
import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";

/** Life of the authorization that opens a subscription, in seconds (mailbox.md M-4). */
const AUTHORIZATION_S = 10;
/** Wait for the first message, and quiet after one that ends the reading. */
const FIRST_WAIT_MS = 10_000;
const QUIET_MS = 1_000;

/**
 * Reads messages behind a position as a stream, one at a time: for a page that is too large to be received (DESIGN §7).
 * Resolves when `take` wants no more, or nothing comes for a while.
 *
 * @throws StreamError; what `take` throws; the reason of `signal`
 */
export async function readAsStream(
  engine: Engine,
  session: ServerSession,
  after: bigint,
  signal: AbortSignal,
  take: (delivery: MailboxDelivery) => Promise<boolean>,
): Promise<void> {
  signal.throwIfAborted();
  const { keyring, clock } = engine;
  await new Promise<void>((resolve, reject) => {
    let cancel = clock.after(FIRST_WAIT_MS, () => end());
    const abort = (): void => end(signal.reason);
    const subscription = session
      .mailbox$({
        mailboxId: keyring.mailboxId,
        authorization: () => keyring.mailboxAuthorization(AUTHORIZATION_S),
        after,
        places: 1,
      })
      .pipe(
        concatMapHeld(async (delivery) => {
          cancel();
          const goesOn = await take(delivery);
          if (goesOn) cancel = clock.after(QUIET_MS, () => end());
          else end();
        }),
      )
      .subscribe({ error: (error: unknown) => end(error) });
    signal.addEventListener("abort", abort, { once: true });
    function end(error?: unknown): void {
      cancel();
      signal.removeEventListener("abort", abort);
      // `end` may be called before the subscription is there: by a stream that fails at once.
      queueMicrotask(() => subscription.unsubscribe());
      if (error === undefined) resolve();
      else reject(error);
    }
  });
}
