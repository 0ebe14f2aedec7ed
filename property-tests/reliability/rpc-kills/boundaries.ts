import { defer, type Observable, tap } from "rxjs";
import type { Transport } from "../../../engine/index.ts";
import { openSession, type ServerSession } from "../../../streams/session.ts";

/** Members of a session that reach no server, or tell it only good-bye. */
const SILENT: ReadonlySet<string> = new Set(["close", "isCurrent"]);

/**
 * The real transport, told before each call of a server and after each answer; an answer of a subscription is a message.
 *
 * @param onBoundary given the method, which call of it this is, and the side
 */
export function watchedTransport(onBoundary: (name: string) => void): Transport {
  const calls = new Map<string, number>();
  const next = (method: string): string => {
    const call = (calls.get(method) ?? 0) + 1;
    calls.set(method, call);
    return `${method} ${call}`;
  };
  const around = async <T>(method: string, run: () => Promise<T>): Promise<T> => {
    const name = next(method);
    onBoundary(`${name} before`);
    const answer = await run();
    onBoundary(`${name} after`);
    return answer;
  };
  const subscribed = (run: () => Observable<unknown>): Observable<unknown> =>
    defer(() => {
      onBoundary(`${next("subscribe")} before`);
      return run().pipe(tap(() => onBoundary(`${next("message")} after`)));
    });
  const watched = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const member: unknown = Reflect.get(object, name, object);
        if (name === "lightningSend" || name === "lightningReceive") return watched(member as object);
        if (typeof member !== "function" || typeof name !== "string" || SILENT.has(name)) return bound(member, object);
        const call =
          (...args: unknown[]) =>
          () =>
            Reflect.apply(member, object, args);
        if (name === "mailbox$") return (...args: unknown[]) => subscribed(call(...args));
        return (...args: unknown[]) => around(name, call(...args));
      },
    });
  return (options) => around("connect", async (): Promise<ServerSession> => watched(await openSession(options)));
}

function bound(member: unknown, object: object): unknown {
  return typeof member === "function" ? member.bind(object) : member;
}
