import { describe, expect, it } from "vitest";
import { escapeText } from "../../cli/escape.ts";
import { toJson } from "../../cli/json.ts";

const HOSTILE: [string, string, string][] = [
  ["a colour", "\u001b[31mred", "\\u{1b}[31mred"],
  ["a window title", "\u001b]0;x\u0007", "\\u{1b}]0;x\\u{7}"],
  ["an eight-bit control sequence", "\u009b2J", "\\u{9b}2J"],
  ["a new line", "a\r\nheartwood: all is well", "a\\r\\nheartwood: all is well"],
  ["a tab", "a\tb", "a\\tb"],
  ["a backspace", "a\bb", "a\\u{8}b"],
  ["a delete", "\u007f", "\\u{7f}"],
  ["a turned direction", "abc\u202etxt.exe", "abc\\u{202e}txt.exe"],
  ["an isolate", "\u2066x\u2069", "\\u{2066}x\\u{2069}"],
  ["a line separator", "a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c"],
  ["a zero-width space", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
  ["a tag character", "a\u{e0041}", "a\\u{e0041}"],
  ["a private character", "\ue000", "\\u{e000}"],
  ["a lone surrogate", "a\ud800b", "a\\u{d800}b"],
  ["a wide space", "a\u3000b\u00a0c", "a\\u{3000}b\\u{a0}c"],
  ["what looks like an escape", "\\u{1b}", "\\\\u{1b}"],
];

describe("escapeText", () => {
  it.each(HOSTILE)("makes %s visible", (_, hostile, shown) => {
    expect(escapeText(hostile)).toBe(shown);
  });

  it("leaves ordinary text of any script alone", () => {
    const text = "Grüße, 世界! Привет 🌳 naïve – “quoted”";
    expect(escapeText(text)).toBe(text);
  });

  it("cuts long text and says so", () => {
    expect(escapeText("a".repeat(5000), 10)).toBe("aaaaaaaaaa… (5000 characters)");
  });

  it("does not let marks stack up", () => {
    expect(escapeText(`e${"\u0301".repeat(50)}`)).toBe(`e${"\u0301".repeat(3)}…`);
  });
});

describe("toJson", () => {
  it("writes bigint as decimal text and bytes as hex, at any depth", () => {
    const value = { amountSats: 2n ** 64n - 1n, list: [{ bytes: Uint8Array.of(0, 255), none: null }], gone: undefined };
    expect(toJson(value)).toBe('{"amountSats":"18446744073709551615","list":[{"bytes":"00ff","none":null}]}');
  });

  it.each(HOSTILE)("keeps %s, escaped", (_, hostile) => {
    const json = toJson({ [hostile]: hostile });
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(json)).toEqual({ [hostile]: hostile });
  });
});
