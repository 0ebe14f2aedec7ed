import type { MomentFacts, Series, SeriesPoint } from "../feed-moment.ts";
import type { Mark } from "../feed-record.ts";
import { el, fill, listening, setAttributes, svg } from "./dom.ts";
import { digits, sats, tickTime } from "./format.ts";
import type { Session } from "./session.ts";

const WIDTH = 1_000;
const HEIGHT = 160;
const TOP = 10;
const BOTTOM = 150;
/** More marks of a kind than this would hide the line that they stand on: they stand below it. */
const DENSE = 60;
const TICK = 8;
/** Parts of the width between two ticks; a record is as wide as any other, so each tick says its time. */
const TICK_PARTS = 3;

/** A line over the log that moves with the slider. */
export interface LineChart {
  readonly element: HTMLElement;
  /** @param head the record at which the series ends */
  draw(series: Series, head: bigint): void;
  /** Shows where the slider stands, and the amount there: a point of the line stands for many records. */
  point(seq: bigint, moment: MomentFacts | null): void;
}

interface Line {
  readonly name: string;
  readonly className: string;
  readonly amountAt: (point: SeriesPoint) => bigint;
}

interface Options {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Marked where they happened. */
  readonly marks: readonly (readonly [Mark, string])[];
  readonly textOf: (value: bigint) => string;
  /** The amount of the first line at a moment. */
  readonly amountOf: (moment: MomentFacts) => bigint;
  /** Whether the lowest value that is drawn is zero, whatever the lowest is. */
  readonly isFromZero: boolean;
  readonly empty: string;
}

/** The checkpoint as a line, with halts and redeliveries. */
export function checkpointChart(session: Session): LineChart {
  return lineChart(session, {
    title: "Checkpoint",
    lines: [{ name: "checkpoint", className: "line-checkpoint", amountAt: ({ checkpoint }) => BigInt(checkpoint) }],
    marks: [
      ["halt", "halt"],
      ["redelivery", "redelivered"],
    ],
    textOf: (value) => digits(String(value)),
    amountOf: ({ checkpoint }) => BigInt(checkpoint),
    isFromZero: false,
    empty: "The wallet has consumed no message yet: the checkpoint stands at 0.",
  });
}

/** The balance as a line, with what of it can be spent. */
export function balanceChart(session: Session): LineChart {
  return lineChart(session, {
    title: "Balance",
    lines: [
      { name: "total", className: "line-total", amountAt: ({ totalSats }) => BigInt(totalSats) },
      { name: "spendable", className: "line-spendable", amountAt: ({ spendableSats }) => BigInt(spendableSats) },
    ],
    marks: [["received", "received"]],
    textOf: (value) => sats(String(value)),
    amountOf: ({ balance }) => BigInt(balance.total),
    isFromZero: true,
    empty: "The wallet has had no money yet.",
  });
}

function lineChart(session: Session, options: Options): LineChart {
  const { title, lines, marks, textOf, amountOf } = options;
  const drawing = svg("svg", {
    class: "line-chart",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": title,
  });
  const cursor = svg("line", { class: "line-cursor", y1: 0, y2: HEIGHT, "vector-effect": "non-scaling-stroke" });
  const axis = el("p", { class: "axis" });
  const times = el("p", { class: "axis-times" });
  const picture = el("div", { class: "line-picture" }, drawing);
  const { first } = session;
  let end = first;
  listening(picture, {
    click: (event) => session.seek(first + BigInt(Math.round(shareOf(event, picture) * Number(end - first)))),
  });
  // The log may be longer by now than what is drawn.
  const xOf = (seq: bigint) => Math.min(1, Number(seq - first) / Math.max(1, Number(end - first))) * WIDTH;
  let range = "";
  const draw = ({ points }: Series, head: bigint) => {
    end = head;
    const values = points.flatMap((point) => lines.map(({ amountAt }) => amountAt(point)));
    const [least, most] = extremes(values, options.isFromZero);
    const yOf = (value: bigint) => (most === least ? BOTTOM : BOTTOM - ratio(value - least, most - least) * (BOTTOM - TOP));
    fill(drawing, ...drawLines(points, options, xOf, yOf), cursor);
    fill(times, ...tickTimes(points, first, head).map((text) => el("span", {}, text)));
    range = values.every((value) => value === 0n) ? options.empty : `${textOf(least)} to ${textOf(most)}`;
  };
  const point = (seq: bigint, moment: MomentFacts | null) => {
    setAttributes(cursor, { x1: xOf(seq), x2: xOf(seq) });
    fill(axis, el("span", {}, range), el("strong", {}, moment === null ? "" : textOf(amountOf(moment))));
  };
  const keys = [
    ...lines.map(({ name, className }) => key(name, className)),
    ...marks.map(([mark, name]) => key(name, `line-mark-${mark}`)),
  ];
  const head = el("h3", {}, title, el("span", { class: "line-keys" }, ...keys));
  return { element: el("section", { class: "part" }, head, picture, times, axis), draw, point };
}

function drawLines(
  points: readonly SeriesPoint[],
  { lines, marks }: Options,
  xOf: (seq: bigint) => number,
  yOf: (value: bigint) => number,
): SVGElement[] {
  const paths = lines.map(({ className, amountAt }) => {
    const d = steps(points.map((point) => [xOf(BigInt(point.seq)), yOf(amountAt(point))]));
    return svg("path", { class: className, d, "vector-effect": "non-scaling-stroke" });
  });
  const [main] = lines;
  const ticks = marks.flatMap(([mark]) => {
    const marked = points.filter((point) => (point.marks[mark] ?? 0) > 0);
    return marked.map((point) => {
      const x = xOf(BigInt(point.seq));
      const y = main === undefined ? HEIGHT : yOf(main.amountAt(point));
      const [y1, y2] = marked.length > DENSE ? [HEIGHT - TICK, HEIGHT] : [y - 14, y + 14];
      return svg("line", { class: `line-mark line-mark-${mark}`, x1: x, x2: x, y1, y2, "vector-effect": "non-scaling-stroke" });
    });
  });
  return [...gridLines(), ...paths, ...ticks];
}

function gridLines(): SVGElement[] {
  return Array.from({ length: TICK_PARTS - 1 }, (_, part) => {
    const x = ((part + 1) / TICK_PARTS) * WIDTH;
    return svg("line", { class: "line-grid", x1: x, x2: x, y1: 0, y2: HEIGHT, "vector-effect": "non-scaling-stroke" });
  });
}

/** When the records under the ticks were written. */
function tickTimes(points: readonly SeriesPoint[], first: bigint, head: bigint): string[] {
  const [start, end] = [points[0], points.at(-1)];
  if (start === undefined || end === undefined) return [];
  return Array.from({ length: TICK_PARTS + 1 }, (_, part) => {
    const seq = first + ((head - first) * BigInt(part)) / BigInt(TICK_PARTS);
    const { atMs } = points.findLast((point) => BigInt(point.seq) <= seq) ?? start;
    return tickTime(atMs, end.atMs - start.atMs);
  });
}

function key(name: string, className: string): HTMLElement {
  return el("span", { class: "line-key" }, el("span", { class: `key-line key-${className}`, "aria-hidden": "true" }), name);
}

/** A line that stays until it changes, as money does. */
function steps(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], index) => (index === 0 ? `M${x} ${y}` : `H${x}V${y}`)).join("");
}

function extremes(values: readonly bigint[], fromZero: boolean): readonly [bigint, bigint] {
  const [first = 0n] = values;
  let [least, most] = [fromZero ? 0n : first, first];
  for (const value of values) {
    // A checkpoint carries its time in its upper bits: the zero before the first message would press all others into a line.
    if (value < least && (fromZero || value !== 0n)) least = value;
    if (!fromZero && least === 0n) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

function ratio(part: bigint, whole: bigint): number {
  const share = Number((part * 10_000n) / whole) / 10_000;
  return Math.max(0, Math.min(1, share));
}

/** Where in the width of a picture was clicked, 0 to 1. */
function shareOf(event: MouseEvent, picture: HTMLElement): number {
  const { left, width } = picture.getBoundingClientRect();
  return Math.max(0, Math.min(1, (event.clientX - left) / width));
}
