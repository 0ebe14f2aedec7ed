import { codeOf } from "./errors.ts";
import type { Keyring } from "./keyring.ts";

/**
 * Whether a call may have been refused because its authorization had expired on arrival: a clock that is behind the
 * server's by more than its life and 5 s. The server's text is no contract, so any refusal may be that (mailbox.md W-31).
 */
export function mayBeClock(error: unknown, keyring: Keyring): boolean {
  return codeOf(error) === "SERVER_REJECTED" && !keyring.isLongLived;
}

/**
 * A call with a fresh authorization; one that is refused is made once more with a longer one, and if that helps, all later
 * ones are longer too.
 */
export async function authorized<T>(keyring: Keyring, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!mayBeClock(error, keyring)) throw error;
    keyring.isLongLived = true;
    try {
      const answer = await call();
      keyring.onClockBehind();
      return answer;
    } catch (again) {
      keyring.isLongLived = false;
      throw again;
    }
  }
}
