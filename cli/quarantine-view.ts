import type { QuarantinedVtxo } from "heartwood";
import { escapeText } from "./escape.ts";
import { formatSats, formatTime, plural } from "./format.ts";
import type { Style } from "./style.ts";

/** What is held, for people: three lines an item. */
export function formatQuarantine(items: readonly QuarantinedVtxo[], directory: string, style: Style): string[] {
  if (items.length === 0) return ["nothing is held"];
  return [
    ...items.flatMap((item) => [...formatItem(item, style), ""]),
    `${plural(items.length, "item")} held; heartwood explain ${escapeText(directory)} KEY tells how one came there`,
  ];
}

function formatItem({ key, id, amountSats, code, message, ...item }: QuarantinedVtxo, style: Style): string[] {
  const amount = amountSats === null ? "unknown amount" : formatSats(amountSats);
  const again = item.permanent
    ? "kept for good: its bytes alone decide"
    : `looked at again ${plural(item.attempts, "time")}, next at ${formatTime(item.nextTryAtMs)}`;
  return [
    `${style.strong(escapeText(key))}  ${amount}  ${style.faint(id === null ? "no id" : escapeText(id))}`,
    `  ${style.bad(escapeText(code))}: ${escapeText(message, 300)}`,
    `  ${style.faint(`held since ${formatTime(item.heldAtMs)}, ${again}`)}`,
  ];
}
