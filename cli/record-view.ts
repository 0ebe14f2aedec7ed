import type { RecordView } from "heartwood";
import { escapeText } from "./escape.ts";
import { formatTime } from "./format.ts";
import type { Style } from "./style.ts";

const SEQ_WIDTH = 6;
/** Width of `message/<checkpoint>/<digest of 16>` and of `quarantined/<key>`. */
const INSTANCE_WIDTH = 44;
const SHORT_INSTANCE_WIDTH = 36;
/** Narrower terminals get the long names shortened. */
const ROOMY_COLUMNS = 140;
const TYPE_WIDTH = "message.redelivered".length;

/** One line for people about a record: number, time, instance, event, the state it led to and the effects it asks for. */
export function formatRecord(record: RecordView, style: Style, columns = Number.POSITIVE_INFINITY): string {
  const { seq, atMs, instance, type, state, effects } = record;
  const width = columns < ROOMY_COLUMNS ? SHORT_INSTANCE_WIDTH : INSTANCE_WIDTH;
  const name = instance.length > width ? `${escapeText(instance.slice(0, width - 1))}…` : escapeText(instance);
  const asked = effects.length === 0 ? "" : `  ${style.faint(effects.map((effect) => escapeText(effect.type)).join(", "))}`;
  return [
    String(seq).padStart(SEQ_WIDTH),
    style.faint(formatTime(atMs)),
    style.accent(name.padEnd(width)),
    escapeText(type).padEnd(TYPE_WIDTH),
    `→ ${style.strong(escapeText(state))}${asked}`,
  ].join("  ");
}
