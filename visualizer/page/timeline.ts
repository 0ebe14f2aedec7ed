import type { Search } from "../feed.ts";
import type { Series } from "../feed-moment.ts";
import type { Mark } from "../feed-record.ts";
import { button, el, fill, listening, setAttributes, svg } from "./dom.ts";
import { digits, moment as momentText } from "./format.ts";
import { icon } from "./icons.ts";
import { type Session, type Shown, SPEEDS } from "./session.ts";

/** Marks that have a lane of their own above the slider, from top to bottom. */
const LANES: readonly (readonly [Mark, string])[] = [
  ["halt", "halts"],
  ["error", "errors"],
  ["received", "received"],
  ["redelivery", "redeliveries"],
  ["restart", "restarts"],
];
/** Points of the overview: as many as a wide screen has columns for. */
const POINTS = 400;
const LANE = 6;
/** A growing log draws its overview anew not more often than this. */
const REDRAW_MS = 1_000;

interface Jump {
  readonly label: string;
  readonly search: (shown: Shown) => Omit<Search, "from" | "direction"> | null;
}

const JUMPS: readonly Jump[] = [
  { label: "halt", search: () => ({ mark: "halt" }) },
  { label: "error", search: () => ({ mark: "error" }) },
  { label: "record of the instance", search: ({ instance, record }) => withInstance(instance ?? record?.instance) },
];

/** What else can be jumped to, chosen from a list. */
const OTHERS: readonly Jump[] = [
  { label: "received", search: () => ({ mark: "received" }) },
  { label: "paid", search: () => ({ mark: "paid" }) },
  { label: "quarantined", search: () => ({ mark: "quarantined" }) },
  { label: "redelivery", search: () => ({ mark: "redelivery" }) },
  { label: "restart", search: () => ({ mark: "restart" }) },
  { label: "finished", search: () => ({ mark: "finished" }) },
  { label: "difference", search: () => ({ verdict: "differs" }) },
];

/** The one slider, with its buttons: all panels show what was at its record. */
export function timeline(session: Session): HTMLElement {
  const slider = el("input", { type: "range", class: "slider", min: 0, max: 0, step: 1, "aria-label": "Record" });
  listening(slider, { input: () => session.seek(BigInt(slider.value)) });
  const place = el("output", { class: "place", "aria-live": "off" });
  const overview = svg("svg", { class: "overview", preserveAspectRatio: "none", "aria-hidden": "true" });
  session.onChange(["seq", "record", "progress"], (shown) => {
    setAttributes(slider, { min: String(session.first), max: String(session.head), "aria-valuetext": `record ${shown.seq}` });
    slider.value = String(shown.seq);
    const at = shown.record === null ? "" : momentText(shown.record.atMs);
    fill(
      place,
      el("strong", {}, `#${digits(String(shown.seq))}`),
      ` of ${digits(String(session.head))}`,
      el("span", { class: "place-time" }, at),
    );
  });
  keepOverview(session, overview);
  return el(
    "section",
    { class: "timeline", "aria-label": "Timeline" },
    el("div", { class: "timeline-controls" }, ...controls(session), place),
    el("div", { class: "timeline-track" }, overview, slider),
  );
}

function controls(session: Session): HTMLElement[] {
  const play = button({ class: "button button-round button-main", title: "Play (space)" }, () =>
    session.play(!session.shown.isPlaying),
  );
  const live = button({ class: "button button-live", title: "Live (L)" }, () => session.follow(!session.shown.isFollowing));
  const speed = el(
    "select",
    { class: "select", "aria-label": "Speed", title: "Records a second" },
    ...SPEEDS.map((value) => el("option", { value, selected: value === session.shown.speed }, `${value}/s`)),
  );
  listening(speed, { change: () => session.setSpeed(Number(speed.value)) });
  session.onChange(["isPlaying"], ({ isPlaying }) => {
    fill(play, icon(isPlaying ? "pause" : "play"));
    setAttributes(play, { "aria-label": isPlaying ? "Pause" : "Play", "aria-pressed": String(isPlaying) });
  });
  session.onChange(["isFollowing", "progress"], (shown) => {
    setAttributes(live, {
      hidden: shown.hello.source !== "live",
      "data-away": String(isWaiting(shown)),
      "aria-pressed": String(shown.isFollowing),
    });
    fill(live, el("span", { class: "live-dot", "aria-hidden": "true" }), liveWord(shown));
  });
  const move = (label: string, sign: Parameters<typeof icon>[0], title: string, go: () => void) =>
    button({ class: "button button-round", "aria-label": label, title }, go, icon(sign));
  return [
    el(
      "div",
      { class: "button-group" },
      move("First record", "first", "First record (Home)", () => session.seek(session.first)),
      move("One record back", "back", "One record back (←)", () => session.step(-1n)),
      play,
      move("One record on", "on", "One record on (→)", () => session.step(1n)),
      move("Last record", "last", "Last record (End)", () => session.seek(session.head)),
    ),
    speed,
    live,
    el(
      "div",
      { class: "jumps", role: "group", "aria-label": "Jump" },
      ...JUMPS.map((jump) => jumpButtons(session, () => jump, jumpLabel(jump))),
      otherJumps(session),
    ),
  ];
}

/** What the button says that goes along with the end of the log. */
function liveWord(shown: Shown): string {
  if (!shown.isFollowing) return "Paused";
  return isWaiting(shown) ? "Waiting" : "Live";
}

function isWaiting({ progress }: Shown): boolean {
  return progress.isAway || progress.isMissing;
}

function jumpLabel({ label }: Jump): HTMLElement {
  return el("span", { class: "jump-label", "aria-hidden": "true" }, label.split(" ").at(-1));
}

function otherJumps(session: Session): HTMLElement {
  const options = OTHERS.map(({ label }, at) => el("option", { value: at }, label));
  const choice = el("select", { class: "jump-label jump-choice", "aria-label": "Jump to" }, ...options);
  const chosen = (): Jump => OTHERS[Number(choice.value)] ?? { label: "record", search: () => null };
  const group = jumpButtons(session, chosen, choice);
  listening(choice, { change: () => nameButtons(group, chosen()) });
  return group;
}

function jumpButtons(session: Session, jumpOf: () => Jump, label: HTMLElement): HTMLElement {
  const go = (direction: "forward" | "backward") => () => {
    const jump = jumpOf();
    const search = jump.search(session.shown);
    if (search !== null) void session.jump({ ...search, direction }, jump.label);
  };
  const group = el(
    "div",
    { class: "button-group jump" },
    button({ class: "button" }, go("backward"), icon("left")),
    label,
    button({ class: "button" }, go("forward"), icon("right")),
  );
  nameButtons(group, jumpOf());
  return group;
}

/** Says what the two buttons of a jump lead to. */
function nameButtons(group: HTMLElement, { label }: Jump): void {
  const [previous, next] = group.querySelectorAll("button");
  if (previous === undefined || next === undefined) return;
  setAttributes(previous, { "aria-label": `Previous ${label}`, title: `Previous ${label}` });
  setAttributes(next, { "aria-label": `Next ${label}`, title: `Next ${label}` });
}

function withInstance(instance: string | undefined): { instance: string } | null {
  return instance === undefined ? null : { instance };
}

/** Draws what is remarkable along the slider, and anew as the log grows. */
function keepOverview(session: Session, overview: SVGSVGElement): void {
  let drawnHead = -1n;
  let isBusy = false;
  const draw = async () => {
    if (isBusy || session.head === drawnHead || session.head < session.first) return;
    isBusy = true;
    drawnHead = session.head;
    try {
      drawLanes(
        overview,
        await session.source.series(String(session.first), String(drawnHead), POINTS),
        session.first,
        drawnHead,
      );
    } catch {
      // The panels say when the source is gone; an overview that is a moment old does no harm.
    } finally {
      isBusy = false;
    }
  };
  void draw();
  setInterval(() => void draw(), REDRAW_MS);
}

function drawLanes(overview: SVGSVGElement, { points }: Series, first: bigint, head: bigint): void {
  const width = 1_000;
  const span = Math.max(1, Number(head - first));
  const height = LANES.length * LANE;
  setAttributes(overview, { viewBox: `0 0 ${width} ${height}` });
  const ticks = points.flatMap(({ seq, marks }) =>
    LANES.flatMap(([mark], lane) => {
      if ((marks[mark] ?? 0) === 0) return [];
      const x = (Number(BigInt(seq) - first) / span) * width;
      return [svg("rect", { class: `tick tick-${mark}`, x: x - 1, y: lane * LANE + 0.5, width: 2, height: LANE - 1 })];
    }),
  );
  fill(overview, ...ticks);
}
