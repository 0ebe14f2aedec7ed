import { button, el, fill, setAttributes } from "./dom.ts";
import { digits } from "./format.ts";
import { icon } from "./icons.ts";
import type { Session, Shown, View } from "./session.ts";

const SOURCES = { live: "running wallet", log: "log, read only", file: "file, read only" } as const;
const TABS: readonly (readonly [View, string])[] = [
  ["charts", "Charts"],
  ["instances", "Instances"],
  ["records", "Records"],
  ["money", "Money"],
  ["record", "Record"],
];

/** What is looked at, whether it is whole, and the choice of panels. */
export function pageHeader(session: Session, help: HTMLDialogElement, toggleTheme: () => void): HTMLElement {
  const { hello } = session.shown;
  const state = el("p", { class: "source", title: `Heartwood ${hello.version}` });
  const verified = el("p", { class: "verified", role: "status" });
  session.onChange(["progress", "connection", "connectionReason"], (shown) => {
    const network = hello.network === "" ? "" : ` · ${hello.network}`;
    fill(state, el("strong", {}, hello.name), ` · ${sourceOf(shown)}${network}`, lostNote(shown));
    const [text, kind] = verification(shown);
    fill(verified, text);
    setAttributes(verified, { "data-verified": kind });
  });
  return el(
    "header",
    { class: "page-head" },
    el("h1", { class: "brand" }, logo(), "Heartwood"),
    state,
    verified,
    tabs(session),
    el(
      "div",
      { class: "head-buttons" },
      button({ class: "button button-round", "aria-label": "Keys", title: "Keys (?)" }, () => help.showModal(), "?"),
      button(
        { class: "button button-round", "aria-label": "Light or dark", title: "Light or dark (T)" },
        toggleTheme,
        icon("theme"),
      ),
    ),
  );
}

function tabs(session: Session): HTMLElement {
  const made = TABS.map(([view, text]) => ({
    view,
    tab: button({ class: "tab", "data-view": view }, () => session.change({ view }), text),
  }));
  session.onChange(["view"], (shown) => {
    for (const { view, tab } of made) setAttributes(tab, { "aria-current": shown.view === view ? "page" : null });
  });
  return el("nav", { class: "tabs", "aria-label": "Panels" }, ...made.map(({ tab }) => tab));
}

function sourceOf({ hello, progress }: Shown): string {
  if (progress.isMissing) return "the directory is not there";
  return progress.isAway ? "the wallet was closed" : SOURCES[hello.source];
}

function lostNote({ connection, connectionReason, hello }: Shown): HTMLElement | null {
  if (connection === "connected" || (connection === "ended" && hello.source !== "live")) return null;
  const text =
    connection === "lost" ? "connection lost, trying again" : `ended${connectionReason === "" ? "" : `: ${connectionReason}`}`;
  return el("span", { class: "mark mark-halt" }, text);
}

/** How much of the log was taken again, and whether it agrees. */
function verification({ hello, progress }: Shown): readonly [string, "ok" | "busy" | "bad"] {
  const { differingCount, verified, total, head, failure } = progress;
  if (failure !== null) return [`✗ read up to ${digits(head)} of ${digits(total)}`, "bad"];
  if (differingCount > 0) return [`✗ ${digits(differingCount)} records differ`, "bad"];
  if (BigInt(head) < BigInt(total)) return [`reading ${digits(head)} of ${digits(total)} …`, "busy"];
  if (BigInt(verified) < BigInt(head)) return [`re-executed ${digits(verified)} of ${digits(head)} …`, "busy"];
  // A file says nothing of the records before its own.
  return [`✓ ${digits(String(BigInt(verified) - BigInt(hello.first) + 1n))} records re-executed`, "ok"];
}

function logo(): Element {
  const rings = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  setAttributes(rings, { viewBox: "0 0 24 24", width: 24, height: 24, class: "logo", "aria-hidden": "true" });
  for (const r of [10.5, 7, 3.5]) {
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    setAttributes(ring, { cx: 12, cy: 12, r, class: `ring ring-${String(r).replace(".", "-")}` });
    rings.append(ring);
  }
  return rings;
}
