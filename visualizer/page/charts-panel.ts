import type { ChartLayout } from "../charts/layout.ts";
import { ChartView } from "./chart-view.ts";
import { button, el, fill, setAttributes } from "./dom.ts";
import { count, shortId } from "./format.ts";
import { layouts } from "./layouts.generated.ts";
import { lightOf } from "./light.ts";
import { machineOf, type Session, type Shown } from "./session.ts";

interface Card {
  readonly layout: ChartLayout;
  readonly small: ChartView;
  readonly large: ChartView;
  readonly tab: HTMLButtonElement;
  readonly state: HTMLElement;
}

/** All machines small, side by side, and one of them large: the one chosen, or the one of the record. */
export function chartsPanel(session: Session): HTMLElement {
  const cards = layouts.map((layout) => card(layout, session));
  const strip = el("div", { class: "machine-strip", role: "tablist", "aria-label": "Machines" }, ...cards.map(({ tab }) => tab));
  const title = el("h2", { class: "machine-title" });
  const subtitle = el("p", { class: "machine-subtitle" });
  const pin = button({ class: "button button-quiet", "aria-pressed": "false" }, () => togglePin(session), "");
  let isFitted = true;
  const fit = button(
    { class: "button button-quiet", "aria-pressed": "true", title: "The whole chart, or its full size" },
    () => {
      isFitted = !isFitted;
      setAttributes(fit, { "aria-pressed": String(isFitted) });
      stage.classList.toggle("chart-stage-fitted", isFitted);
    },
    "Fit",
  );
  const forget = button(
    { class: "button button-quiet" },
    () => {
      void session.choose(null);
      // It is hidden by now, and would take the focus along.
      pin.focus();
    },
    "Forget it",
  );
  const stage = el("div", { class: "chart-stage chart-stage-fitted", tabindex: 0, role: "region", "aria-label": "Statechart" });
  const head = el(
    "header",
    { class: "machine-head" },
    el("div", {}, title, subtitle),
    el("div", { class: "machine-buttons" }, forget, fit, pin),
  );
  let shownName = "";
  session.onChange(["record", "moment", "path", "instance", "machine", "view"], (shown) => {
    const name = largeMachine(shown);
    for (const one of cards) relight(one, shown, name);
    const chosen = cards.find(({ layout }) => layout.chart.name === name) ?? cards[0];
    if (chosen === undefined) return;
    const isOther = shownName !== name;
    if (isOther) fill(stage, chosen.large.element);
    shownName = name;
    describe(chosen, shown, title, subtitle);
    setAttributes(forget, { hidden: shown.instance === null });
    setAttributes(pin, { "aria-pressed": String(shown.machine !== null) });
    fill(pin, shown.machine === null ? "Follows the record" : "Pinned");
    // When all panels have drawn, in the same frame: so the page is laid out once.
    requestAnimationFrame(() => {
      if (isOther) reveal(chosen.tab, strip);
      if (shownName === name) scrollToActive(chosen, stage);
    });
  });
  return el(
    "section",
    { class: "panel charts-panel", "aria-label": "Statecharts" },
    el("div", { class: "machine-side" }, strip, legend()),
    el("div", { class: "machine-large" }, head, stage),
  );
}

function card(layout: ChartLayout, session: Session): Card {
  const { name } = layout.chart;
  const small = new ChartView(layout, true);
  const state = el("span", { class: "machine-state" });
  const tab = button(
    { class: "machine-tab", role: "tab", "data-machine": name },
    () => session.change({ machine: name }),
    el("span", { class: "machine-words" }, el("span", { class: "machine-name" }, name), state),
    el("span", { class: "machine-picture" }, small.element),
  );
  return { layout, small, large: new ChartView(layout, false), tab, state };
}

function relight({ layout, small, large, tab, state }: Card, shown: Shown, chosen: string): void {
  const { chart } = layout;
  const path = shown.instance !== null && machineOf(shown.instance) === chart.name ? shown.path : null;
  const light = lightOf(chart, shown.moment, path);
  small.light(light);
  if (chart.name === chosen) large.light(light);
  const isNow = shown.record?.machine === chart.name;
  setAttributes(tab, { "aria-selected": String(chart.name === chosen), "data-now": isNow ? "true" : null });
  const [active] = light.active;
  const instances = Object.values(light.counts).reduce((sum, number) => sum + number, 0);
  fill(state, active === undefined ? "not begun" : instances > 1 ? count(instances, "instance") : active);
}

function largeMachine({ machine, record }: Shown): string {
  return machine ?? record?.machine ?? layouts[0]?.chart.name ?? "";
}

function togglePin(session: Session): void {
  const { machine } = session.shown;
  session.change({ machine: machine === null ? largeMachine(session.shown) : null });
}

function describe({ layout: { chart } }: Card, shown: Shown, title: HTMLElement, subtitle: HTMLElement): void {
  fill(title, chart.name, el("span", { class: "machine-revision" }, `revision ${chart.revision}`));
  const isChosen = shown.instance !== null && machineOf(shown.instance) === chart.name;
  const instance = isChosen ? shown.instance : shown.moment?.last[chart.name]?.instance;
  if (instance === null || instance === undefined) {
    fill(subtitle, "No instance yet at this record.");
    return;
  }
  const steps =
    isChosen && shown.path !== null ? `, ${count(shown.path.steps.length + shown.path.leftOut, "step")} until here` : "";
  fill(subtitle, isChosen ? "Way of " : "Last moved: ", el("code", { title: instance }, shortId(instance)), steps);
}

function legend(): HTMLElement {
  const item = (kind: string, text: string) =>
    el("li", {}, el("span", { class: `legend-mark legend-${kind}`, "aria-hidden": "true" }), text);
  const items = [item("active", "is here"), item("last", "came by"), item("way", "way before"), item("frame", "shared")];
  return el("ul", { class: "legend" }, ...items);
}

/** Moves the row of machines so that the chosen one is seen. */
function reveal(tab: HTMLElement, strip: HTMLElement): void {
  const [outer, inner] = [strip.getBoundingClientRect(), tab.getBoundingClientRect()];
  if (inner.left < outer.left || inner.right > outer.right) strip.scrollLeft += inner.left - outer.left - 8;
  if (inner.top < outer.top || inner.bottom > outer.bottom) strip.scrollTop += inner.top - outer.top - 8;
}

/** A chart larger than its stage is moved so that what is active is seen. */
function scrollToActive({ large }: Card, stage: HTMLElement): void {
  const { focus, element } = large;
  if (focus === null) return;
  const scale = element.clientWidth / Number(element.getAttribute("width"));
  const [x, y] = [focus.x * scale, focus.y * scale];
  const isInside = (at: number, from: number, size: number) => at > from + 40 && at < from + size - 40;
  if (!isInside(y, stage.scrollTop, stage.clientHeight)) stage.scrollTop = y - stage.clientHeight / 2;
  if (!isInside(x, stage.scrollLeft, stage.clientWidth)) stage.scrollLeft = x - stage.clientWidth / 2;
}
