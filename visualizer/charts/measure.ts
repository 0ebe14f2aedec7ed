import type { LabelRow } from "./layout.ts";

/**
 * The sizes that layout and page agree on, in CSS pixels. Labels are in a monospaced font, so that their width is known
 * where no browser is at hand.
 */
export const TEXT = {
  lineHeight: 15,
  /** Advance of a character at 11 px: 0.6 em in every common monospaced font, and a little air. */
  lineAdvance: 6.7,
  /** Advance of a letter of a state's name at 13 px, semibold. */
  nameAdvance: 8.1,
  nameHeight: 20,
  padX: 14,
  padY: 8,
} as const;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of a label. */
export function measureRows(rows: readonly LabelRow[]): Size {
  const longest = Math.max(0, ...rows.map(({ text }) => text.length));
  return { width: Math.ceil(longest * TEXT.lineAdvance) + 8, height: (rows.at(-1)?.top ?? 0) + TEXT.lineHeight + 4 };
}

/** Of a state's box with its name and its inner transitions, without children. */
export function measureState(name: string, inner: readonly LabelRow[]): Size {
  const lines = inner.length === 0 ? { width: 0, height: 0 } : measureRows(inner);
  const width = Math.max(name.length * TEXT.nameAdvance, lines.width, 56) + 2 * TEXT.padX;
  return { width: Math.ceil(width), height: TEXT.nameHeight + 2 * TEXT.padY + (inner.length === 0 ? 0 : lines.height + 2) };
}

/** A state's own name: the last part of its path. */
export function stateName(id: string): string {
  return id.slice(id.lastIndexOf(".") + 1);
}
