import type { FeedValue } from "../feed-data.ts";
import type { RecordDetail } from "../feed-record.ts";
import { el } from "./dom.ts";
import { count } from "./format.ts";
import { emptyNote } from "./parts.ts";
import { valueView } from "./value-view.ts";

type Context = { readonly [name: string]: FeedValue };

/** What the record changed in its instance's context: before and after of each changed member; the others can be opened. */
export function contextDiff({ contextBefore, contextAfter, changed }: RecordDetail): HTMLElement {
  const before = membersOf(contextBefore);
  const after = membersOf(contextAfter);
  const rest = Object.entries(after).filter(([name]) => !changed.includes(name));
  const rows = changed.map((name) =>
    el(
      "div",
      { class: "change" },
      el("dt", {}, name),
      el(
        "dd",
        {},
        Object.hasOwn(before, name) ? side("before", "−", before[name] ?? null) : null,
        Object.hasOwn(after, name) ? side("after", "+", after[name] ?? null) : null,
      ),
    ),
  );
  const unchanged = el(
    "details",
    { class: "unchanged" },
    el("summary", {}, `${count(rest.length, "member")} unchanged`),
    valueView(Object.fromEntries(rest)),
  );
  return el(
    "div",
    {},
    rows.length === 0
      ? emptyNote("The state of the instance moved, its context did not.")
      : el("dl", { class: "changes" }, ...rows),
    rest.length === 0 ? null : unchanged,
  );
}

function side(kind: "before" | "after", sign: string, value: FeedValue): HTMLElement {
  return el(
    "div",
    { class: `side side-${kind}` },
    el("span", { class: "side-sign", "aria-label": kind }, sign),
    valueView(value, 1),
  );
}

function membersOf(value: FeedValue): Context {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Context) : {};
}
