import type { FeedValue } from "../feed-data.ts";
import type { RecordDetail } from "../feed-record.ts";
import { contextDiff } from "./context-diff.ts";
import { button, type Child, el, refill } from "./dom.ts";
import { count, digits, moment, shortId } from "./format.ts";
import { icon } from "./icons.ts";
import { emptyNote, idLink, markChips, seqLink, stateChip, VERDICT_WORDS } from "./parts.ts";
import type { Session } from "./session.ts";
import { valueView } from "./value-view.ts";

/** The record at which everything stands, with all that is in it. */
export function recordPanel(session: Session): HTMLElement {
  const panel = el("section", { class: "panel record-panel", "aria-label": "Record" });
  session.onChange(["record"], ({ record }) => {
    const parts = record === null ? [emptyNote("No record is loaded yet.")] : sections(record, session);
    // A new one begins at its top; to scroll the old one there, the page would have to be laid out before it is drawn.
    refill(panel, () => panel.querySelector("h2"), el("div", { class: "record-body" }, ...parts));
  });
  return panel;
}

function sections(record: RecordDetail, session: Session): HTMLElement[] {
  return [
    head(record, session),
    transition(record),
    relations(record, session),
    section(
      "Event",
      `schema ${record.schema}`,
      hasMembers(record.event) ? valueView(record.event) : emptyNote("It carries nothing but its type."),
    ),
    section("Context", changedNote(record), contextDiff(record)),
    section("Effects asked for", count(record.asked.length, "effect"), effects(record)),
    ...(record.blobs.length > 0 ? [section("Received bytes", count(record.blobs.length, "blob"), blobs(record))] : []),
    ...(record.mentions.length > 0 ? [section("Explain", "how it came to be what it is", mentions(record, session))] : []),
    proof(record),
  ];
}

function head(record: RecordDetail, session: Session): HTMLElement {
  const go = (seq: string | null, label: string, sign: "left" | "right") =>
    button(
      { class: "button", disabled: seq === null, title: label, "aria-label": label },
      () => seq !== null && session.seek(BigInt(seq)),
      icon(sign),
    );
  return el(
    "header",
    { class: "record-head" },
    el(
      "div",
      { class: "record-title" },
      el("span", { class: "record-seq" }, `#${digits(record.seq)}`),
      el("h2", { tabindex: -1 }, record.type),
    ),
    el(
      "div",
      { class: "record-of" },
      button(
        { class: "link", title: `Show the way of ${record.instance}` },
        () => void session.choose(record.instance),
        el("code", {}, shortId(record.instance)),
      ),
      el(
        "div",
        { class: "button-group" },
        go(record.previous, "Record of this instance before", "left"),
        go(record.next, "Record of this instance after", "right"),
      ),
    ),
    el("p", { class: "record-when" }, moment(record.atMs), " · ", `record ${digits(record.version)} of the instance`),
    record.marks.length > 0 ? el("p", { class: "record-marks" }, ...markChips(record)) : null,
  );
}

function transition(record: RecordDetail): HTMLElement {
  const before = record.before === null ? el("span", { class: "state-chip state-none" }, "begins") : stateChip(record.before);
  return el(
    "p",
    { class: "transition" },
    before,
    el("span", { class: "arrow", "aria-label": "to" }, "→"),
    stateChip(record.after),
    record.guard === null ? null : el("code", { class: "guard", title: "Guard" }, `[${record.guard}]`),
  );
}

function relations(record: RecordDetail, session: Session): HTMLElement {
  const caused = record.caused.map((seq) => seqLink(session, seq));
  return el(
    "dl",
    { class: "facts" },
    el("dt", {}, "Cause"),
    el("dd", {}, record.cause === "0" ? "something outside" : seqLink(session, record.cause)),
    record.effectId === "" ? null : [el("dt", {}, "Result of"), el("dd", {}, el("code", {}, `effect ${record.effectId}`))],
    el("dt", {}, "Led to"),
    el("dd", { class: "links" }, ...(caused.length === 0 ? ["nothing yet"] : caused)),
  );
}

function section(title: string, note: string, ...children: readonly Child[]): HTMLElement {
  return el("section", { class: "part" }, el("h3", {}, title, el("span", { class: "part-note" }, note)), ...children);
}

function changedNote({ changed }: RecordDetail): string {
  return changed.length === 0 ? "unchanged" : `${count(changed.length, "member")} changed`;
}

function effects({ asked }: RecordDetail): HTMLElement {
  if (asked.length === 0) return emptyNote("It asks for nothing.");
  return el(
    "ul",
    { class: "effects" },
    ...asked.map(({ id, type, kind, params }) =>
      el(
        "li",
        {},
        el(
          "p",
          { class: "effect-head" },
          el("span", { class: `effect-kind effect-${kind}` }, kind),
          el("strong", {}, type),
          el("code", {}, id),
        ),
        hasMembers(params) ? valueView(params) : null,
      ),
    ),
  );
}

function blobs({ blobs: list }: RecordDetail): HTMLElement {
  return el(
    "ul",
    { class: "blobs" },
    ...list.map(({ digest, data }) =>
      el(
        "li",
        {},
        el("code", { title: digest }, shortId(digest)),
        data === null
          ? el("span", { class: "muted" }, " kept by an earlier record, or by the server alone")
          : valueView(data as FeedValue),
      ),
    ),
  );
}

function mentions(record: RecordDetail, session: Session): HTMLElement {
  return el(
    "ul",
    { class: "mentions" },
    ...record.mentions.map(({ kind, id }) => el("li", {}, el("span", { class: "muted" }, kind), " ", idLink(session, id))),
  );
}

function proof(record: RecordDetail): HTMLElement {
  const [words, why] = VERDICT_WORDS[record.verdict];
  const facts: readonly (readonly [string, string])[] = [
    ["State digest", record.stateDigest],
    ["Commit", digits(record.commit)],
    ["Epoch", digits(record.epoch)],
    ["Machine", `${record.machine}, revision ${record.revision}`],
    ["Size", `${digits(record.bytes)} B`],
  ];
  return el(
    "section",
    { class: "part" },
    el("h3", {}, "Proof"),
    el("p", { class: `verdict-line verdict-${record.verdict}`, title: why }, words),
    record.disagreement === null ? null : el("p", { class: "disagreement" }, record.disagreement),
    el("dl", { class: "facts" }, ...facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, el("code", {}, value))])),
  );
}

function hasMembers(value: FeedValue): boolean {
  return value !== null && (typeof value !== "object" || Object.keys(value).length > 0);
}
