import type { ExplainedStep, Explanation } from "heartwood";
import { escapeText } from "./escape.ts";
import { formatTime, plural } from "./format.ts";
import type { Style } from "./style.ts";

const KINDS: { readonly [Kind in Explanation["kind"]]: string } = {
  vtxo: "VTXO",
  movement: "movement",
  checkpoint: "message at checkpoint",
  quarantined: "held item",
};
const SEQ_WIDTH = 6;
const INDENT = " ".repeat(SEQ_WIDTH + 2);

/** An explanation for people: what it is now, then each record with its transition, its sentence, code and rules. */
export function formatExplanation(explanation: Explanation, style: Style): string[] {
  const { kind, id, now, steps, leftOut } = explanation;
  const middle = leftOut === 0 ? steps.length : steps.length / 2;
  const gap = style.notice(`${INDENT}… ${plural(leftOut, "more record")}`);
  return [
    `${style.strong(`${KINDS[kind]} ${escapeText(id)}`)}: ${style.accent(escapeText(now))}`,
    "",
    ...steps.slice(0, middle).flatMap((step) => formatStep(step, style)),
    ...(leftOut === 0 ? [] : [gap]),
    ...steps.slice(middle).flatMap((step) => formatStep(step, style)),
  ];
}

function formatStep(
  { seq, atMs, instance, event, from, to, code, causeSeq, effectId, rules, text }: ExplainedStep,
  style: Style,
) {
  const path = from === null || from === to ? escapeText(to) : `${escapeText(from)} → ${escapeText(to)}`;
  const cause = effectId !== "" ? `result of ${effectId}` : causeSeq === 0n ? "" : `caused by record ${causeSeq}`;
  const aside = [cause, ...rules].filter((part) => part !== "").map((part) => escapeText(part));
  const reason = code === null ? "" : `${style.bad(escapeText(code))}  `;
  return [
    [
      style.strong(String(seq).padStart(SEQ_WIDTH)),
      style.faint(formatTime(atMs)),
      style.accent(escapeText(instance)),
      `${escapeText(event)}: ${path}`,
    ].join("  "),
    `${INDENT}${reason}${escapeText(text, 2_000)}`,
    ...(aside.length === 0 ? [] : [`${INDENT}${style.faint(aside.join(", "))}`]),
  ];
}
