/** What a screen does not show, or what turns around the text beside it: controls, formats, separators, lone surrogates, fillers. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f/gu;

/** Most texts have none: looking for those takes a tenth of the time. */
const PLAIN = /^[ -~]*$/;

/** A text in which every hidden character is seen: `a\u202eb` becomes `a⟨U+202E⟩b`. What came from a server is shown so only. */
export function visibleText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    HIDDEN,
    (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}
