import { FeedError } from "../feed.ts";
import type { RecordRow } from "../feed-record.ts";
import { button, el, fill, listening, refill, setAttributes } from "./dom.ts";
import { count, digits, shortId, time } from "./format.ts";
import { ListedRecords } from "./listed-records.ts";
import { emptyNote, markChips, stateChip, verdictSign } from "./parts.ts";
import type { Session, Shown } from "./session.ts";

/** Nearer to an end of the list than this many pixels, more of it is loaded. */
const EDGE = 60;

/** Records before and after the one shown, with what caused what; or those of the chosen instance only. */
export function recordsPanel(session: Session): HTMLElement {
  const list = el("ol", { class: "record-list" });
  const scroll = el("div", { class: "record-scroll", tabindex: 0, role: "region", "aria-label": "List of records" }, list);
  const note = el("p", { class: "panel-note" });
  const only = button({ class: "button button-quiet", "aria-pressed": "false" }, () => toggle(), "This instance only");
  const listed = new ListedRecords(session);
  let isOnly = false;
  let drawn: readonly RecordRow[] | undefined;
  const draw = (rows: readonly RecordRow[]) => {
    if (rows !== drawn) {
      const lines = rows.map((row) => recordLine(row, session));
      const current = () => list.querySelector<HTMLElement>(`[data-seq="${session.shown.seq}"]`);
      refill(list, current, rows.length === 0 ? emptyNote("No records here.") : lines);
    }
    drawn = rows;
    // All lines have this column in the same width, and no line need be measured for it.
    list.style.setProperty("--seq-width", `max(34px, ${digits(String(session.head)).length}ch)`);
    fill(
      note,
      isOnly
        ? count(rows.length, "record")
        : rows.length === 0
          ? ""
          : `#${digits(rows[0]?.seq ?? "")} to #${digits(rows.at(-1)?.seq ?? "")}`,
    );
    mark(list, session.shown, rows);
  };
  let placing = 0;
  const refresh = async ({ seq, path }: Shown) => {
    if (isOnly) draw(path?.steps ?? []);
    else {
      if (!listed.has(seq)) await telling(session, () => listed.load(seq));
      draw(listed.rows);
      void renew();
    }
    // With the other panels, so that the page is laid out once.
    cancelAnimationFrame(placing);
    placing = requestAnimationFrame(() => {
      placing = 0;
      center(list.querySelector(`[data-seq="${session.shown.seq}"]`), scroll);
      void extend();
    });
  };
  let isRenewing = false;
  const renew = async () => {
    if (isRenewing) return;
    isRenewing = true;
    for (let verified = ""; verified !== session.shown.progress.verified; ) {
      verified = session.shown.progress.verified;
      if ((await telling(session, () => listed.renew())) === true && !isOnly) draw(listed.rows);
    }
    isRenewing = false;
  };
  let isExtending = false;
  const extend = async () => {
    // Until it is moved to its record, a list stands where the one before it was left.
    if (isOnly || isExtending || placing !== 0) return;
    const { scrollTop, scrollHeight, clientHeight } = scroll;
    const end = scrollTop < EDGE ? "before" : scrollHeight - scrollTop - clientHeight < EDGE ? "after" : null;
    if (end === null) return;
    isExtending = true;
    if ((await telling(session, () => listed.extend(end))) === true && !isOnly) {
      draw(listed.rows);
      if (end === "before") scroll.scrollTop += scroll.scrollHeight - scrollHeight;
    }
    isExtending = false;
  };
  listening(scroll, { scroll: () => void extend() });
  const toggle = () => {
    isOnly = !isOnly;
    setAttributes(only, { "aria-pressed": String(isOnly) });
    const { instance, record } = session.shown;
    if (isOnly && instance === null && record !== null) void session.choose(record.instance);
    else void refresh(session.shown);
  };
  session.alongside(async (seq) => {
    if (session.shown.view === "records" && !isOnly && !listed.has(seq)) await listed.load(seq);
  });
  session.onChange(["view", "record", "path"], (shown) => {
    if (shown.view === "records") void refresh(shown);
  });
  session.onChange(["progress"], ({ view }) => {
    if (view === "records" && !isOnly) void renew();
  });
  return el(
    "section",
    { class: "panel records-panel", "aria-label": "Records" },
    el("header", { class: "panel-head" }, el("h2", {}, "Records"), note, only),
    scroll,
  );
}

/** What was loaded; where the source refuses the page says why. */
async function telling<Loaded>(session: Session, load: () => Promise<Loaded>): Promise<Loaded | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    session.change({ problem: error.message });
    return undefined;
  }
}

/** Moves the list so that a line is seen; the page itself stays. */
function center(line: Element | null, scroll: HTMLElement): void {
  if (line === null) return;
  const [outer, inner] = [scroll.getBoundingClientRect(), line.getBoundingClientRect()];
  const margin = outer.height / 5;
  if (inner.top >= outer.top + margin && inner.bottom <= outer.bottom - margin) return;
  scroll.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
}

function recordLine(row: RecordRow, session: Session): HTMLElement {
  const { seq, type, instance, before, after, effects, atMs, verdict } = row;
  return el(
    "li",
    { class: "record-item" },
    button(
      { class: "record-line", "data-seq": seq, "data-machine": row.machine },
      () => session.seek(BigInt(seq)),
      el("span", { class: "line-relation", "aria-hidden": "true" }),
      el("span", { class: "line-seq" }, digits(seq)),
      el("span", { class: "line-time" }, time(atMs)),
      el("span", { class: "line-what" }, el("strong", {}, type), el("code", { title: instance }, shortId(instance))),
      el(
        "span",
        { class: "line-states" },
        before === after
          ? null
          : [
              before === null ? el("span", { class: "muted" }, "begins") : stateChip(before),
              el("span", { class: "arrow", "aria-label": "to" }, "→"),
            ],
        stateChip(after),
      ),
      el(
        "span",
        { class: "line-more" },
        ...markChips(row),
        ...effects.map((effect) => el("span", { class: "effect-name" }, effect)),
      ),
      verdictSign(verdict),
    ),
  );
}

/** Shows which record is the one, and draws in the margin what caused it and what it caused. */
function mark(list: HTMLElement, { seq, record }: Shown, rows: readonly RecordRow[]): void {
  const here = rows.findIndex((row) => row.seq === String(seq));
  const cause = rows.findIndex((row) => row.seq === record?.cause);
  const effects = rows.flatMap((row, index) => (row.cause === String(seq) ? [index] : []));
  const last = effects.at(-1) ?? here;
  for (const [index, line] of [...list.querySelectorAll(".record-line")].entries()) {
    // The record that is looked at was taken again for that, before its turn.
    const isLate = index === here && record !== null && record.verdict !== rows[index]?.verdict;
    if (isLate) line.querySelector(".verdict")?.replaceWith(verdictSign(record.verdict));
    const relation = index === here ? "here" : index === cause ? "cause" : effects.includes(index) ? "effect" : null;
    setAttributes(line, {
      "aria-current": index === here ? "true" : null,
      "data-relation": relation,
      "data-above":
        (cause >= 0 && index > cause && index <= here) || (here >= 0 && index > here && index <= last) ? "true" : null,
      "data-below":
        (cause >= 0 && index >= cause && index < here) || (here >= 0 && index >= here && index < last) ? "true" : null,
    });
  }
}
