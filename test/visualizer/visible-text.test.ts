import { expect, test } from "vitest";
import { visibleText } from "../../visualizer/page/visible-text.ts";

test.each([
  ["a\u202eb", "a⟨U+202E⟩b"],
  ["a\u2028b\u2029c", "a⟨U+2028⟩b⟨U+2029⟩c"],
  ["\u0000\u001b[31m\r\n\t", "⟨U+0000⟩⟨U+001B⟩[31m⟨U+000D⟩⟨U+000A⟩⟨U+0009⟩"],
  ["\ud800x\u{1f600}", "⟨U+D800⟩x\u{1f600}"],
  ["\u200b\u2066\ufeff\u{e0041}\u3164\u034f", "⟨U+200B⟩⟨U+2066⟩⟨U+FEFF⟩⟨U+E0041⟩⟨U+3164⟩⟨U+034F⟩"],
  ["<b>&amp;</b> 1\u2009000 sat, ééü", "<b>&amp;</b> 1\u2009000 sat, ééü"],
])("%j is shown as %j", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});
