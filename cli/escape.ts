/** Controls, formats (bidi and zero-width among them), unassigned and private characters, separators but the space. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\\]|(?! )\p{Zs}/gu;

/** What marks stack up on one letter: more of them would paint over the lines around. */
const MARKS = /(\p{M}{3})\p{M}+/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/**
 * Makes text from elsewhere safe for a terminal: one line, nothing that moves the cursor, sets
 * colours, turns the direction of writing or hides. What is replaced stays visible, as `\u{202e}`.
 *
 * @param maxLength longer text is cut, with `…` and its length
 */
export function escapeText(text: string, maxLength = 1000): string {
  const cut = text.length > maxLength ? text.slice(0, maxLength) : text;
  const escaped = cut
    .replace(MARKS, "$1…")
    .replace(UNSAFE, (character) => SHORT[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return cut === text ? escaped : `${escaped}… (${text.length} characters)`;
}
