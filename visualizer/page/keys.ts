import { button, el } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Session, View } from "./session.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["← →", "one record back, on"],
  ["⇧ ← ⇧ →", "ten records back, on"],
  ["Home End", "first, last record"],
  ["Space", "play, pause"],
  ["h H", "next, previous halt"],
  ["e E", "next, previous error"],
  ["r R", "next, previous record that brought money"],
  ["p P", "next, previous record that paid"],
  ["d D", "next, previous record that differs"],
  ["i I", "next, previous record of the instance"],
  ["l", "live, or stay here"],
  ["1 2 3 4", "charts, instances, records, money"],
  ["t", "light or dark"],
  ["?", "this list"],
];

const VIEWS: { readonly [key: string]: View } = { 1: "charts", 2: "instances", 3: "records", 4: "money", 5: "record" };

/** Listens to the keyboard for the whole page; typing in a field stays with the field. */
export function listenToKeys(session: Session, help: HTMLDialogElement, toggleTheme: () => void): void {
  document.addEventListener("keydown", (event) => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      isTyping(event.target) ||
      document.querySelector("dialog[open]") !== null
    )
      return;
    if (!act(event, session, help, toggleTheme)) return;
    event.preventDefault();
  });
}

/** Whether the key means something. */
function act(
  { key, shiftKey, target }: KeyboardEvent,
  session: Session,
  help: HTMLDialogElement,
  toggleTheme: () => void,
): boolean {
  const { record, instance, isPlaying, isFollowing, hello } = session.shown;
  const one = instance ?? record?.instance;
  const direction = shiftKey ? "backward" : "forward";
  const view = VIEWS[key];
  if (view !== undefined) session.change({ view });
  else if (key === "ArrowLeft") session.step(shiftKey ? -10n : -1n);
  else if (key === "ArrowRight") session.step(shiftKey ? 10n : 1n);
  else if (key === "Home") session.seek(session.first);
  else if (key === "End") session.seek(session.head);
  else if (
    key === " " &&
    !(target instanceof HTMLButtonElement) &&
    !(target instanceof HTMLElement && target.tagName === "SUMMARY")
  )
    session.play(!isPlaying);
  else if (key === "h" || key === "H") void session.jump({ mark: "halt", direction }, "halt");
  else if (key === "e" || key === "E") void session.jump({ mark: "error", direction }, "error");
  else if (key === "r" || key === "R") void session.jump({ mark: "received", direction }, "record that brought money");
  else if (key === "p" || key === "P") void session.jump({ mark: "paid", direction }, "record that paid");
  else if (key === "d" || key === "D") void session.jump({ verdict: "differs", direction }, "record that differs");
  else if ((key === "i" || key === "I") && one !== undefined)
    void session.jump({ instance: one, direction }, "record of this instance");
  else if (key === "l" && hello.source === "live") session.follow(!isFollowing);
  else if (key === "t") toggleTheme();
  else if (key === "?") help.showModal();
  else return false;
  return true;
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== "range";
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/** What the keys do. */
export function helpDialog(): HTMLDialogElement {
  const rows = KEYS.map(([keys, text]) =>
    el("div", {}, el("dt", {}, ...keys.split(" ").map((key) => el("kbd", {}, key))), el("dd", {}, text)),
  );
  const close = button({ class: "button", "aria-label": "Close" }, () => dialog.close(), icon("close"));
  const head = el("header", { class: "dialog-head" }, el("h2", { id: "help-title" }, "Keys"), close);
  const dialog: HTMLDialogElement = el(
    "dialog",
    { class: "dialog dialog-small", "aria-labelledby": "help-title" },
    head,
    el("dl", { class: "keys" }, ...rows),
  );
  return dialog;
}
