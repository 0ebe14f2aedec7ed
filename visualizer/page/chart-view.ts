import type { Arrow, Box, ChartLayout, LabelRow, Place } from "../charts/layout.ts";
import { stateName, TEXT } from "../charts/measure.ts";
import { setAttributes, svg } from "./dom.ts";
import { digits } from "./format.ts";
import { arrowHead, roundedPath } from "./routes.ts";

/** What is lit on a chart. */
export interface Light {
  /** States in which the instance stands, outer ones too. */
  readonly active: ReadonlySet<string>;
  /** The edge that was taken last, and those on the way before it. */
  readonly last: ReadonlySet<string>;
  readonly way: ReadonlySet<string>;
  readonly visited: ReadonlySet<string>;
  /** How many instances stand in each state, where there can be several. */
  readonly counts: { readonly [state: string]: number };
}

/** A higher one never fits a window: it is scrolled, and so as wide as there is room. */
const TALL = 1_300;
/** Of what says how many instances stand in a state: a circle for one digit, longer for more. */
const BADGE_HEIGHT = 20;
const BADGE_DIGIT = 6;

/** A statechart as a drawing that can be lit. */
export class ChartView {
  readonly element: SVGSVGElement;
  readonly #places = new Map<string, { group: SVGGElement; badge: Badge }>();
  readonly #lit: { readonly element: SVGElement; readonly edges: readonly string[] }[] = [];

  /** @param isSmall without labels, for an overview */
  constructor(layout: ChartLayout, isSmall: boolean) {
    const { chart, width, height } = layout;
    this.element = svg("svg", {
      class: isSmall ? "chart chart-small" : height > TALL ? "chart chart-tall" : "chart",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `Statechart of ${chart.name}: ${chart.states.map(({ id }) => id).join(", ")}`,
    });
    // What the style cannot know: below a share of its full size a chart is no longer read, and is scrolled instead.
    this.element.style.setProperty("--width", `${width}px`);
    this.element.style.setProperty("--height", `${height}px`);
    const frames = svg("g");
    const arrows = svg("g");
    const states = svg("g");
    for (const place of layout.places) {
      if (place.kind === "frame") frames.append(frame(place));
      else states.append(this.#state(place, layout, isSmall));
    }
    arrows.append(start(layout));
    for (const arrow of layout.arrows) arrows.append(this.#arrow(arrow, isSmall));
    this.element.append(frames, arrows, states);
  }

  light({ active, last, way, visited, counts }: Light): void {
    const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
    for (const [id, { group, badge }] of this.#places) {
      const state = active.has(id) ? "active" : visited.has(id) ? "visited" : "idle";
      const number = total > 1 ? (counts[id] ?? 0) : 0;
      setAttributes(group, { "data-state": state, "aria-current": active.has(id) ? "true" : null, "data-count": number });
      badge.show(number);
    }
    for (const { element, edges } of this.#lit) {
      const isLast = edges.some((edge) => last.has(edge));
      setAttributes(element, { "data-taken": isLast ? "last" : edges.some((edge) => way.has(edge)) ? "way" : null });
    }
  }

  /** Where the active states are, in the units of the drawing. */
  get focus(): { readonly x: number; readonly y: number } | null {
    for (const { group } of this.#places.values()) {
      if (group.getAttribute("data-state") !== "active") continue;
      return { x: Number(group.getAttribute("data-x")), y: Number(group.getAttribute("data-y")) };
    }
    return null;
  }

  #state({ id, box, inner }: Place, { chart }: ChartLayout, isSmall: boolean): SVGGElement {
    const state = chart.states.find((one) => one.id === id);
    const isFinal = state?.kind === "final";
    const hasChildren = chart.states.some(({ parent }) => parent === id);
    const badge = new Badge(box);
    const group = svg(
      "g",
      {
        class: "chart-state",
        "data-id": id,
        "data-kind": state?.kind ?? "atomic",
        "data-state": "idle",
        "data-x": box.x + box.width / 2,
        "data-y": box.y + box.height / 2,
      },
      svg("rect", { class: "chart-box", ...box, rx: 9 }),
      isFinal ? svg("rect", { class: "chart-final", ...inset(box, 3.5), rx: 6 }) : null,
      svg(
        "text",
        {
          class: "chart-name",
          x: box.x + box.width / 2,
          y: box.y + (inner.length > 0 || hasChildren ? 22 : box.height / 2 + 4.5),
        },
        stateName(id),
      ),
    );
    if (!isSmall) group.append(...this.#label(inner, box.x + TEXT.padX, box.y + TEXT.padY + TEXT.nameHeight + 12));
    group.append(badge.back, badge.text);
    this.#places.set(id, { group, badge });
    return group;
  }

  #arrow({ from, to, rows, points, label }: Arrow, isSmall: boolean): SVGGElement {
    const group = svg(
      "g",
      { class: "chart-arrow", "data-from": from, "data-to": to },
      svg("path", { class: "chart-path", d: roundedPath(points) }),
      svg("path", { class: "chart-head", d: arrowHead(points) }),
    );
    this.#lit.push({ element: group, edges: rows.flatMap(({ edges }) => edges) });
    if (!isSmall) group.append(...this.#label(rows, label.x + 4, label.y + 12));
    return group;
  }

  #label(rows: readonly LabelRow[], x: number, y: number): SVGTextElement[] {
    return rows.map(({ kind, text, edges, top }) => {
      const row = svg("text", { class: `chart-row chart-${kind}`, x, y: y + top }, text);
      this.#lit.push({ element: row, edges });
      return row;
    });
  }
}

function frame({ box }: Place): SVGRectElement {
  return svg("rect", { class: "chart-frame", ...box, rx: 12 });
}

function start({ start: { at, points } }: ChartLayout): SVGGElement {
  const dot = svg("circle", { class: "chart-start", cx: at[0], cy: at[1], r: 5.5 });
  const line = svg("path", { class: "chart-path", d: roundedPath(points) });
  return svg("g", { class: "chart-arrow chart-begin" }, line, svg("path", { class: "chart-head", d: arrowHead(points) }), dot);
}

function inset({ x, y, width, height }: Box, by: number): Box {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

/** How many instances stand in a state, at the upper right corner of its box, over which it does not reach far. */
class Badge {
  readonly back = svg("rect", { class: "chart-count-back", height: BADGE_HEIGHT, rx: BADGE_HEIGHT / 2 });
  readonly text = svg("text", { class: "chart-count", "text-anchor": "middle" });
  readonly #right: number;

  constructor({ x, y, width }: Box) {
    this.#right = x + width + BADGE_HEIGHT / 2;
    setAttributes(this.back, { y: y - 1 - BADGE_HEIGHT / 2 });
    setAttributes(this.text, { y: y + 3 });
  }

  show(number: number): void {
    const text = number > 0 ? digits(String(number)) : "";
    if (this.text.textContent === text) return;
    this.text.textContent = text;
    const width = Math.max(BADGE_HEIGHT, text.length * BADGE_DIGIT + BADGE_HEIGHT / 2);
    setAttributes(this.back, { x: this.#right - width, width });
    setAttributes(this.text, { x: this.#right - width / 2 });
  }
}
