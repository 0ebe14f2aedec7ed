import type { CallContext } from "nice-grpc-common";
import type { Held } from "../../streams/credit.ts";
import type { MailboxDelivery } from "../../streams/delivery.ts";
import type { MailboxStreamOptions } from "../../streams/mailbox.stream.ts";
import type { ServerSession } from "../../streams/session.ts";
import { acceptCall, failure, type Handlers, startServer } from "./server.ts";

/** Gives everything under way some time. */
export const settle = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));
/** A mailbox to subscribe to. */
export const MAILBOX: MailboxStreamOptions = {
  mailboxId: new Uint8Array(33).fill(2),
  authorization: () => new Uint8Array(105),
  after: 0n,
};

/** Subscribes and collects everything; `ended` resolves with the error. */
export function collect(session: ServerSession, options: Partial<MailboxStreamOptions> = {}) {
  const held: Held<MailboxDelivery>[] = [];
  let fail: (error: unknown) => void = () => undefined;
  const ended = failure(
    new Promise((_, reject) => {
      fail = reject;
    }),
  );
  const subscription = session.mailbox$({ ...MAILBOX, ...options }).subscribe({
    next: (value) => held.push(value),
    error: (error) => fail(error),
    complete: () => fail(new Error("completed")),
  });
  return { held, ended, subscription };
}

/** Accepts a subscription and sends these. */
export async function* messages(context: CallContext, ...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  acceptCall(context);
  yield* all;
}

/** Starts a server with this subscription. */
export const serve = (subscribeMailbox: NonNullable<Handlers["subscribeMailbox"]>) => startServer({ subscribeMailbox });
