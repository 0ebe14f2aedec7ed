import type { FeedValue } from "../feed-data.ts";
import { el } from "./dom.ts";
import { digits } from "./format.ts";

/** Lists and records deeper than this are closed at first. */
const OPEN_DEPTH = 2;
/** Names of members that a closed record shows. */
const PREVIEWED = 3;

/** A value of an event, a context or a parameter, as a tree that opens and closes. */
export function valueView(value: FeedValue, depth = 0): HTMLElement {
  if (value === null) return el("span", { class: "value value-null" }, "null");
  if (typeof value === "string") return el("span", { class: "value value-text" }, value === "" ? "“”" : value);
  if (typeof value === "number" || typeof value === "boolean") return el("span", { class: "value value-number" }, String(value));
  if (Array.isArray(value)) {
    const items = value.map((item, index) => [String(index), item] as const);
    return members(items, `list of ${value.length}`, depth, "members members-list");
  }
  if (isTagged(value, "$n")) return el("span", { class: "value value-number" }, digits(String(value.$n)));
  if (isTagged(value, "$b")) return bytes(String(value.$b), Number(value.length));
  if (isTagged(value, "$redacted")) return el("span", { class: "value value-secret" }, `${String(value.$redacted)}: kept secret`);
  const entries = Object.entries(value as { readonly [name: string]: FeedValue });
  return members(entries, entries.length === 0 ? "empty" : preview(entries.map(([name]) => name)), depth);
}

function isTagged<Tag extends string>(
  value: object,
  tag: Tag,
): value is { readonly [T in Tag]: unknown } & { readonly length?: unknown } {
  return Object.hasOwn(value, tag);
}

function bytes(hex: string, length: number): HTMLElement {
  const isCut = hex.length / 2 < length;
  return el(
    "span",
    { class: "value value-bytes" },
    `${hex}${isCut ? "…" : ""}`,
    el("span", { class: "value-note" }, ` ${digits(length)} B`),
  );
}

/** The first names of a closed record. */
function preview(names: readonly string[]): string {
  return names.length > PREVIEWED ? `${names.slice(0, PREVIEWED).join(", ")}, …` : names.join(", ");
}

function members(
  entries: readonly (readonly [string, FeedValue])[],
  summary: string,
  depth: number,
  className = "members",
): HTMLElement {
  if (entries.length === 0) return el("span", { class: "value value-null" }, summary === "empty" ? "{}" : "[]");
  const rows = entries.map(([name, member]) =>
    el("div", { class: "member" }, el("dt", {}, name), el("dd", {}, valueView(member, depth + 1))),
  );
  const list = el("dl", { class: className }, ...rows);
  if (depth === 0) return list;
  return el("details", { class: "nested", open: depth < OPEN_DEPTH }, el("summary", {}, summary), list);
}
