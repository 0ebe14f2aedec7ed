import type { Mark, RecordRow, Verdict } from "../feed-record.ts";
import { button, el } from "./dom.ts";
import { digits, shortId } from "./format.ts";
import type { Session } from "./session.ts";

/** Words for what is remarkable about a record. */
const MARK_WORDS: { readonly [M in Mark]: string } = {
  halt: "halt",
  error: "error",
  redelivery: "redelivered",
  restart: "restart",
  quarantined: "quarantined",
  received: "received",
  paid: "paid",
  finished: "finished",
};

/** Words for whether taking the step again gave the same. */
export const VERDICT_WORDS: { readonly [V in Verdict]: readonly [string, string] } = {
  agrees: ["✓ re-executed, agrees", "The step was taken again from the recorded state and event, and gave the recorded outcome."],
  differs: ["✗ re-execution differs", "The step was taken again and gave something else than the log has."],
  folded: ["≈ folded", "Written by an earlier revision of the machine: its outcome was taken over, and its digest compared."],
  pending: ["… not yet re-executed", "The step will be taken again when reading has come this far."],
};

/** Says why a panel is empty. */
export function emptyNote(text: string): HTMLElement {
  return el("p", { class: "empty" }, text);
}

/** The name of a state. */
export function stateChip(state: string, isFinished = false): HTMLElement {
  return el("span", { class: "state-chip", "data-finished": isFinished ? "true" : null }, state);
}

/** What is remarkable about a record. */
export function markChips({ marks, code }: Pick<RecordRow, "marks" | "code">): HTMLElement[] {
  return marks.map((mark) =>
    el(
      "span",
      { class: `mark mark-${mark}`, title: code },
      mark === "halt" || mark === "error" ? (code ?? MARK_WORDS[mark]) : MARK_WORDS[mark],
    ),
  );
}

/** Whether re-execution agrees, as a sign with words for those who do not see it. */
export function verdictSign(verdict: Verdict): HTMLElement {
  const [words, why] = VERDICT_WORDS[verdict];
  return el(
    "span",
    { class: `verdict verdict-${verdict}`, title: why },
    el("span", { "aria-hidden": "true" }, words.slice(0, 1)),
    el("span", { class: "unseen" }, words.slice(2)),
  );
}

/** A record's number that leads there. */
export function seqLink(session: Session, seq: string): HTMLElement {
  return button({ class: "link", title: `Go to record ${seq}` }, () => session.seek(BigInt(seq)), `#${digits(seq)}`);
}

/** An id that can be explained. */
export function idLink(session: Session, id: string): HTMLElement {
  return button({ class: "link link-id", title: `Explain ${id}` }, () => void session.explain(id), el("code", {}, shortId(id)));
}
