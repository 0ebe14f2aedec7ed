import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const style = readFileSync(new URL("../../visualizer/page/style/colours.css", import.meta.url), "utf8");
const tokens = new Map(
  [...style.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = "", light = "", dark = ""]) => [name, { light, dark }],
  ),
);

/** Pairs of a text's colour and what is behind it: 4.5 to 1 for text (WCAG 2.2, 1.4.3 AA). */
const texts = [
  ...["ink", "ink-soft", "ink-faint", "accent", "info", "good", "warn", "bad"].map((ink) => [ink, "surface"] as const),
  ...["ink", "ink-soft", "ink-faint", "accent", "info", "good", "warn", "bad"].map((ink) => [ink, "raised"] as const),
  ...["ink", "ink-soft", "ink-faint", "accent"].map((ink) => [ink, "page"] as const),
  ...["ink", "ink-soft", "ink-faint", "accent", "info", "good"].map((ink) => [ink, "accent-soft"] as const),
  ...["good", "warn", "bad", "info"].flatMap((kind) =>
    ["ink", "ink-soft", "ink-faint", "info", kind].map((ink) => [ink, `${kind}-soft`] as const),
  ),
  ["on-accent", "accent"] as const,
];
/** Pairs of a line that means something and what is behind it: 3 to 1 (1.4.11 AA). */
const lines = ["edge", "accent", "good", "bad", "warn", "info", "ink-faint"].flatMap((line) =>
  ["surface", "raised", "page"].map((back) => [line, back] as const),
);

test.each(["light", "dark"] as const)(
  "every text of the %s theme has a contrast of 4.5 or more, and every line of 3",
  (theme) => {
    const tooLow = [...texts.map((pair) => [...pair, 4.5] as const), ...lines.map((pair) => [...pair, 3] as const)].flatMap(
      ([front, back, least]) => {
        const contrast = contrastOf(colour(front, theme), colour(back, theme));
        return contrast < least ? [`${front} on ${back}: ${contrast.toFixed(2)}`] : [];
      },
    );
    expect(tooLow).toEqual([]);
  },
);

function colour(name: string, theme: "light" | "dark"): string {
  const token = tokens.get(name);
  if (token === undefined) throw new Error(`expected a colour, got ${name}`);
  return token[theme];
}

function contrastOf(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
