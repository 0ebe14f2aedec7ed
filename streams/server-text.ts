/** Longest text of a server, in characters after escaping, that is kept in an error or an announcement. */
const SERVER_TEXT_LIMIT = 1_000;

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * Makes a server's text safe to show: control, format (such as right-to-left marks) and unassigned
 * characters become `\u{…}`, and what is longer than `limit` is cut with an ellipsis.
 *
 * Escaping an escaped text changes nothing.
 */
export function escapeServerText(text: string, limit: number = SERVER_TEXT_LIMIT): string {
  let escaped = "";
  for (const character of text) {
    const shown = UNPRINTABLE.test(character) ? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}` : character;
    if (escaped.length + shown.length > limit) return `${escaped}…`;
    escaped += shown;
  }
  return escaped;
}
