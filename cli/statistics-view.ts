import type { GrowthPeriod, LogStatistics } from "heartwood/store";
import { escapeText } from "./escape.ts";
import { formatCount, formatTime } from "./format.ts";
import type { Style } from "./style.ts";
import { formatPairs, formatTable } from "./table.ts";

const BAR_WIDTH = 32;
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** How large a log is, for people: totals, a table of the kinds of records, and its growth drawn. */
export function formatStatistics(statistics: LogStatistics, style: Style): string[] {
  const { head, bytes, receivedBytes, directoryBytes } = statistics;
  const records = Number(head.seq);
  const each = records === 0 ? "" : `, ${formatCount(Math.round(bytes / records))} a record`;
  return [
    ...formatPairs(
      [
        ["log", head.logId],
        ["records", `${formatCount(records)} in ${formatCount(head.commit)} commits, epoch ${formatCount(head.epoch)}`],
        ["bytes", `${style.strong(formatCount(bytes))}${each}`],
        ["received", `${formatCount(receivedBytes)} of them, kept verbatim`],
        ["on disk", `${formatCount(directoryBytes)} in all files: LevelDB compresses`],
      ],
      style,
    ),
    ...kindTable(statistics, style),
    ...growthChart(statistics, style),
  ];
}

function kindTable({ kinds, bytes }: LogStatistics, style: Style): string[] {
  if (kinds.length === 0) return [];
  const rows = kinds.map((kind) => [
    escapeText(kind.machine),
    escapeText(kind.type),
    formatCount(kind.records),
    formatCount(kind.bytes),
    `${Math.round((100 * kind.bytes) / bytes)} %`,
    formatCount(Math.round(kind.bytes / kind.records)),
  ]);
  const headings = [
    { heading: "machine" },
    { heading: "event" },
    { heading: "records", align: "right" },
    { heading: "bytes", align: "right" },
    { heading: "share", align: "right" },
    { heading: "a record", align: "right" },
  ] as const;
  return ["", style.strong("Records"), ...formatTable(headings, rows, style).map((line) => `  ${line}`)];
}

function growthChart({ growth, periodMs }: LogStatistics, style: Style): string[] {
  if (growth.length === 0) return [];
  const largest = Math.max(...growth.map(({ bytes }) => bytes));
  const rows = growth.map((period) => [
    formatTime(period.fromMs),
    style.accent(bar(period, largest)),
    formatCount(period.bytes),
    formatCount(period.records),
  ]);
  const headings = [
    { heading: "from" },
    { heading: "" },
    { heading: "bytes", align: "right" },
    { heading: "records", align: "right" },
  ] as const;
  const title = style.strong(`Growth, ${formatPeriod(periodMs)} a line`);
  return ["", title, ...formatTable(headings, rows, style).map((line) => `  ${line}`)];
}

/** What is not nothing is seen. */
function bar({ bytes }: GrowthPeriod, largest: number): string {
  const length = bytes === 0 ? 0 : Math.max(1, Math.round((BAR_WIDTH * bytes) / largest));
  return "█".repeat(length).padEnd(BAR_WIDTH);
}

function formatPeriod(periodMs: number): string {
  const [unit, length] = UNITS.find(([, ms]) => periodMs >= ms) ?? UNITS[2];
  const count = Math.round(periodMs / length);
  return count === 1 ? `a ${unit}`.replace("a hour", "an hour") : `${formatCount(count)} ${unit}s`;
}
