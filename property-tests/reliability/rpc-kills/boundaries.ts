import http2, { constants } from "node:http2";

/** Members of a subscription's answer are messages; of every other call there is one answer. */
const STREAMS: ReadonlySet<string> = new Set(["SubscribeMailbox"]);

/** What goes on between this process and servers. */
export interface Traffic {
  /** Calls and requests of the chain source without an answer. */
  readonly open: number;
  /** How often something was asked or answered so far. */
  readonly events: number;
  /** Has the calls counted from 1 on again. */
  recount(): void;
}

/**
 * Watches every call of a server where it leaves this process, whoever makes it, and every answer where it arrives: a death
 * there is one before the request was sent, or one after the answer came and before anybody heard of it.
 *
 * @param onBoundary given the method, which call of it this is, and the side; `MailboxMessage` is one message of a
 * subscription
 */
export function watchCalls(onBoundary: (name: string) => void): Traffic {
  const calls = new Map<string, number>();
  const traffic = { open: 0, events: 0, recount: () => calls.clear() };
  const numbered = (method: string): string => {
    const call = (calls.get(method) ?? 0) + 1;
    calls.set(method, call);
    return `${method}.${call}`;
  };
  const begin = () => {
    let isOpen = true;
    traffic.open++;
    traffic.events++;
    return () => {
      traffic.events++;
      if (isOpen) traffic.open--;
      isOpen = false;
    };
  };
  const { connect } = http2;
  const watched = (...args: Parameters<typeof connect>) => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers = {}, options) => {
      const method = String(headers[constants.HTTP2_HEADER_PATH]).split("/").at(-1) ?? "";
      const call = numbered(method);
      onBoundary(`${call}.before`);
      const end = begin();
      const stream = request(headers, options);
      stream.once("close", end);
      if (STREAMS.has(method)) {
        // The answer of a quiet mailbox has not even begun.
        end();
        stream.on("data", () => {
          traffic.events++;
          onBoundary(`${numbered("MailboxMessage")}.after`);
        });
      } else {
        stream.once("trailers", () => onBoundary(`${call}.after`));
        // A refusal is all in one: headers that are trailers.
        stream.once("response", (answer) => {
          if (answer["grpc-status"] !== undefined) onBoundary(`${call}.after`);
        });
      }
      return stream;
    };
    return session;
  };
  Object.assign(http2, { connect: watched });
  const ask = globalThis.fetch;
  globalThis.fetch = async (...args) => {
    const end = begin();
    try {
      return await ask(...args);
    } finally {
      end();
    }
  };
  return traffic;
}
