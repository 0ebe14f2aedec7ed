import type { Engine } from "./engine.ts";
import { HeartwoodError } from "./errors.ts";

/** Longest life of an authorization that is given away: it cannot be revoked (mailbox.md W-44). */
const LONGEST_LIFE_MS = 30 * 24 * 60 * 60_000;

/**
 * An authorization for somebody else to read the main mailbox (mailbox.md M-8).
 *
 * @throws HeartwoodError `BAD_OPTION`
 */
export function authorizeReader({ clock, keyring }: Engine, expiresAt: Date): Uint8Array {
  const lifeMs = expiresAt.getTime() - clock.nowMs();
  if (!(lifeMs > 0 && lifeMs <= LONGEST_LIFE_MS)) {
    const got = Number.isNaN(lifeMs) ? "none" : `${Math.round(lifeMs / 1_000)} s`;
    throw new HeartwoodError("BAD_OPTION", `option expiresAt: expected a life of at most 30 days from now, got ${got}`);
  }
  return keyring.mailboxAuthorizationUntil(Math.floor(expiresAt.getTime() / 1_000));
}
