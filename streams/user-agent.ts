import { StreamError } from "./errors.ts";

/** Version of this package, as told to servers. Equal to `package.json`; a test compares them. */
export const HEARTWOOD_VERSION = "0.0.1";

/** The `x-user-agent` header unless the application gives its own. */
export const DEFAULT_USER_AGENT = `heartwood/${HEARTWOOD_VERSION}`;

/**
 * What the handshake says in `bark_version`. Servers look for a release number of the reference in it and
 * announce "please update" in front of the operator's own words if they find none (mailbox.md §2.3), so it names
 * the release whose protocol this client follows.
 */
export const HANDSHAKE_VERSION = `${DEFAULT_USER_AGENT} (as bark 0.6.0)`;

/**
 * Checks a user agent: `name` of 1 to 32 characters of `a-z 0-9 - _`, a slash, a version (mailbox.md §2.3).
 * A server refuses every call that carries another one.
 *
 * @throws StreamError `BAD_OPTION`
 */
export function checkUserAgent(text: string): string {
  if (!/^[a-z0-9_-]{1,32}\/[\x21-\x7e]{1,64}$/.test(text)) {
    throw new StreamError("BAD_OPTION", `expected a user agent <name>/<version>, got ${JSON.stringify(text.slice(0, 100))}`);
  }
  return text;
}
