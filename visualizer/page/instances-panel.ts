import type { InstanceRow, RowPage } from "../feed-moment.ts";
import { button, el, fill, refill, setAttributes } from "./dom.ts";
import { count, digits, duration, shortId } from "./format.ts";
import { layouts } from "./layouts.generated.ts";
import { moreRows } from "./more-rows.ts";
import { emptyNote, stateChip } from "./parts.ts";
import { tablesSeen, wideScreen } from "./seen-tables.ts";
import type { Session, Shown } from "./session.ts";

/** Every instance at this moment, by machine, with its state and its age. */
export function instancesPanel(session: Session): HTMLElement {
  const list = el("div", { class: "instance-list" });
  const note = el("p", { class: "panel-note" });
  let drawn: readonly unknown[] = [];
  const refresh = (shown: Shown) => {
    const { moment, instance, view } = shown;
    if (!tablesSeen(view).includes("instances") || (drawn[0] === moment && drawn[1] === instance)) return;
    drawn = [moment, instance];
    const page = moment?.instances;
    fill(note, page === undefined ? "" : `${count(page.total, "instance")} at this record`);
    if (page === undefined) fill(list, moment === null ? emptyNote("Nothing is loaded yet.") : null);
    else draw(list, page, session);
  };
  session.onChange(["moment", "instance", "view"], refresh);
  wideScreen.addEventListener("change", () => refresh(session.shown));
  return el(
    "section",
    { class: "panel instances-panel", "aria-label": "Instances" },
    el("header", { class: "panel-head" }, el("h2", {}, "Instances"), note),
    list,
  );
}

function draw(list: HTMLElement, page: RowPage<InstanceRow>, session: Session): void {
  const { shown } = session;
  if (page.rows.length === 0) {
    fill(list, emptyNote("No instance exists yet at this record."));
    return;
  }
  const order = layouts.map(({ chart }) => chart.name);
  const machines = [...new Set(page.rows.map(({ machine }) => machine))].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const groups = machines.map((machine) => {
    const rows = page.rows.filter((row) => row.machine === machine);
    const total = Object.values(shown.moment?.states[machine] ?? {}).reduce((sum, number) => sum + number, 0);
    return el(
      "section",
      { class: "instance-group", "aria-label": machine },
      el(
        "h3",
        {},
        machine,
        el(
          "span",
          { class: "group-count" },
          total > rows.length ? `${rows.length} of ${digits(String(total))}` : String(rows.length),
        ),
      ),
      el("ul", {}, ...rows.map((row) => el("li", {}, instanceButton(row, shown, session)))),
    );
  });
  const more = moreRows(session, "instances", page, (grown) => draw(list, grown, session));
  refill(list, () => list.querySelector("button"), groups, more);
}

function instanceButton(row: InstanceRow, shown: Shown, session: Session): HTMLElement {
  const isChosen = shown.instance === row.instance;
  const isNow = shown.record?.instance === row.instance;
  const name = row.instance.slice(row.machine.length + 1);
  const made = button(
    { class: "instance", "aria-pressed": String(isChosen), "data-now": isNow ? "true" : null, title: row.instance },
    () => {
      session.change({ view: "charts" });
      void session.choose(isChosen ? null : row.instance);
    },
    el("code", { class: "instance-name" }, shortId(name)),
    stateChip(row.state, row.isFinished),
    el("span", { class: "instance-age" }, ageOf(row, shown)),
  );
  setAttributes(made, { "data-state": row.state });
  return made;
}

/** How long it stands in its state, or how long it took. */
function ageOf({ isFinished, firstAtMs, lastAtMs }: InstanceRow, { moment }: Shown): string {
  if (isFinished) return `took ${duration(lastAtMs - firstAtMs)}`;
  return `for ${duration((moment?.atMs ?? lastAtMs) - lastAtMs)}`;
}
