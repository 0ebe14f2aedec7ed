import type { ServerSession } from "../streams/session.ts";
import type { Engine } from "./engine.ts";

/** How often a live connection asks whether the server is what it was (mailbox.md W-38). */
const EVERY_MS = 60 * 60_000;

/**
 * Looks every hour whether a server changed its keys, terms or version; whoever is told connects anew, as after any break,
 * and has them checked there. That a server does not answer is found out elsewhere.
 */
export function watchServer(engine: Engine, session: ServerSession, signal: AbortSignal, onChanged: () => void): void {
  const cancel = engine.clock.after(EVERY_MS, () => {
    signal.removeEventListener("abort", cancel);
    const isCurrent = session.isCurrent({ signal }).catch(() => true);
    void isCurrent.then((current) => {
      if (signal.aborted) return;
      if (current) return watchServer(engine, session, signal, onChanged);
      engine.ports.logger("info", "the server changed its keys, terms or version: connecting anew", {});
      onChanged();
    });
  });
  signal.addEventListener("abort", cancel, { once: true });
}
