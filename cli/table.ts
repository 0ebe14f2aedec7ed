import { type Style, widthOf } from "./style.ts";

/** A column of a table: its heading, and where its cells stand. */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
}

const GAP = "  ";

/** Lines of a table with a faint heading; the last column is not padded. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string[] {
  const widths = columns.map(({ heading }, i) => Math.max(widthOf(heading), ...rows.map((row) => widthOf(row[i] ?? ""))));
  const line = (cells: readonly string[]) =>
    columns.map((column, i) => pad(cells[i] ?? "", widths[i] ?? 0, column.align, i === columns.length - 1)).join(GAP);
  return [style.faint(line(columns.map(({ heading }) => heading))), ...rows.map(line)].map((text) => text.trimEnd());
}

/** Lines of `name  value` pairs, names faint and padded to one width; a pair without a value is left out. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string | undefined])[], style: Style): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${style.faint(pad(name, width, "left", false))}${GAP}${value}`);
}

function pad(text: string, width: number, align: Column["align"], isLast: boolean): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  if (align === "right") return space + text;
  return isLast ? text : text + space;
}
