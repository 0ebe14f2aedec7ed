import type { Explained } from "../feed-record.ts";
import { button, el, fill, listening } from "./dom.ts";
import { count, moment } from "./format.ts";
import { icon } from "./icons.ts";
import { seqLink, stateChip } from "./parts.ts";
import type { Session } from "./session.ts";

/** How something came to be what it is, record by record. */
export function explainDialog(session: Session): HTMLDialogElement {
  const body = el("div", { class: "dialog-body" });
  const close = button({ class: "button", "aria-label": "Close" }, () => dialog.close(), icon("close"));
  const title = el("h2", { id: "explain-title" });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "explain-title" },
    el("header", { class: "dialog-head" }, title, close),
    body,
  );
  listening(dialog, { close: () => session.change({ explained: null }) });
  session.onChange(["explained"], ({ explained }) => {
    if (explained === null) return dialog.close();
    fill(title, `Why this ${explained.kind === "vtxo" ? "VTXO" : explained.kind} is what it is`);
    fill(body, ...story(explained, session));
    if (!dialog.open) dialog.showModal();
  });
  return dialog;
}

function story({ id, now, steps, leftOut }: Explained, session: Session): HTMLElement[] {
  const items = steps.map(({ seq, atMs, instance, event, from, to, code, rules, text }) =>
    el(
      "li",
      {},
      el("p", { class: "step-head" }, seqLink(session, seq), el("span", { class: "muted" }, moment(atMs)), el("code", {}, event)),
      el("p", { class: "step-text" }, text),
      el(
        "p",
        { class: "step-facts" },
        code === null ? null : el("span", { class: "mark mark-error" }, code),
        from === null ? null : [stateChip(from), el("span", { class: "arrow", "aria-label": "to" }, "→")],
        stateChip(to),
        el("code", { title: instance }, instance),
        ...rules.map((rule) => el("span", { class: "rule" }, rule)),
      ),
    ),
  );
  return [
    el("p", { class: "explain-id" }, el("code", {}, id)),
    el("p", { class: "explain-now" }, "At the end of the log: ", el("strong", {}, now)),
    el("ol", { class: "story" }, ...items),
    ...(leftOut > 0 ? [el("p", { class: "muted" }, `${count(leftOut, "step")} left out in between.`)] : []),
  ];
}
