import type { WalletEvent } from "heartwood";
import { escapeText } from "./escape.ts";
import { EXPIRY_WORDS } from "./expiry-words.ts";
import { formatChange, formatSats, formatTime, plural, shortenId } from "./format.ts";
import { formatRestoreCounts } from "./restore-view.ts";
import type { Style } from "./style.ts";

/** Width of the longest event type. */
const TYPE_WIDTH = "connection.changed".length;

/** One line for people about something that happened in a wallet. */
export function formatEvent(event: WalletEvent, style: Style): string {
  const { text, paint } = describe(event, style);
  return `${style.faint(formatTime(event.atMs))}  ${paint(event.type.padEnd(TYPE_WIDTH))}  ${text}`;
}

interface Described {
  readonly text: string;
  readonly paint: (text: string) => string;
}

function describe(event: WalletEvent, style: Style): Described {
  const { good, bad, notice, accent, faint, strong } = style;
  switch (event.type) {
    case "wallet.created":
      return { text: `${escapeText(event.fingerprint)} on ${escapeText(event.network)}`, paint: accent };
    case "wallet.opened":
      return { text: `epoch ${event.epoch}`, paint: accent };
    case "server.pinned":
      return { text: `server key ${escapeText(event.serverPubkey)}`, paint: accent };
    case "address.issued":
      return { text: `key ${event.keyIndex}`, paint: accent };
    case "connection.changed":
      return {
        text: `${escapeText(event.state)}${event.code === null ? "" : notice(`  ${escapeText(event.code)}`)}`,
        paint: faint,
      };
    case "payment.received": {
      const source = event.fromQuarantine ? ", out of quarantine" : "";
      return {
        text: `${strong(good(formatChange(event.amountSats)))} in ${plural(event.vtxos.length, "VTXO")}${source}`,
        paint: good,
      };
    }
    case "payment.changed":
    case "exit.required": {
      // What holds a payment up that goes on has a code only.
      const message = event.message === null ? "" : `: ${escapeText(event.message)}`;
      const why = event.code === null ? "" : `  ${escapeText(event.code)}${message}`;
      const exit = event.type === "exit.required" ? `  ${plural(event.vtxos.length, "VTXO")} to exit by ${event.byHeight}` : "";
      const paint = { pending: accent, successful: good, failed: bad, canceled: notice }[event.status];
      return { text: `${shortenId(event.payment)} ${escapeText(event.state)}${why}${exit}`, paint };
    }
    case "message.ignored":
      return { text: `${escapeText(event.rule)} ${faint(`at ${event.checkpoint}`)}`, paint: faint };
    case "package.halted":
      return { text: `${reason(event)} ${faint(`at ${event.checkpoint}`)}`, paint: bad };
    case "package.redelivered":
    case "mailbox.resumed":
      return { text: faint(`at ${event.checkpoint}`), paint: notice };
    case "vtxo.quarantined": {
      const amount = event.amountSats === null ? "unknown amount" : formatSats(event.amountSats);
      const id = event.id === null ? "" : ` ${faint(shortenId(event.id))}`;
      return { text: `${amount}: ${reason(event)}${id}`, paint: event.permanent ? bad : notice };
    }
    case "wallet.salvaged": {
      const lost = event.lostTo === null ? "" : `, records up to ${event.lostTo} are lost`;
      return {
        text: `kept up to record ${event.keptSeq}${lost}: ${event.damage.map((code) => escapeText(code)).join(", ")}`,
        paint: bad,
      };
    }
    case "wallet.restored": {
      const isComplete = event.unresolved === 0 && event.malformed === 0;
      return { text: formatRestoreCounts(event), paint: isComplete ? good : bad };
    }
    case "backup.checked": {
      const text =
        event.missing === 0 ? "whole again" : `${plural(event.missing, "VTXO")} missing at the server: back the log up`;
      return { text, paint: event.missing === 0 ? good : bad };
    }
    case "wallet.reconciled":
      return { text: "server and mailbox were asked", paint: good };
    case "vtxo.expiring":
      return describeExpiry(event, style);
    case "vtxo.unanchored":
      return describeAnchors(event, style);
    case "vtxos.withdrawn":
    case "exit.ended":
      return { text: `${strong(bad(formatChange(event.amountSats)))} in ${plural(event.vtxos.length, "VTXO")}`, paint: bad };
  }
}

/** The worst first, with the least number of blocks that one of them has left. */
function describeExpiry({ vtxos }: Extract<WalletEvent, { type: "vtxo.expiring" }>, { bad, notice }: Style): Described {
  const parts = (["expired", "exit", "refresh", null] as const).flatMap((stage) => {
    const found = vtxos.filter((vtxo) => vtxo.stage === stage);
    if (found.length === 0) return [];
    const amount = formatSats(found.reduce((sum, vtxo) => sum + vtxo.amountSats, 0n));
    const count = plural(found.length, "VTXO");
    if (stage === null) return [`${count} not near expiry after all, ${amount}`];
    const blocks = Math.min(...found.map(({ blocksLeft }) => blocksLeft));
    return [`${count} ${EXPIRY_WORDS[stage]}, ${amount}${stage === "expired" ? "" : `, ${plural(blocks, "block")} left`}`];
  });
  const isUrgent = vtxos.some(({ stage }) => stage === "exit" || stage === "expired");
  return { text: parts.join("; "), paint: isUrgent ? bad : notice };
}

/** What is in the way first. */
function describeAnchors({ vtxos }: Extract<WalletEvent, { type: "vtxo.unanchored" }>, { bad, good }: Style): Described {
  const parts = (["ANCHOR_SPENT", "ANCHOR_NOT_FOUND", "ANCHOR_UNCONFIRMED", null] as const).flatMap((code) => {
    const found = vtxos.filter((vtxo) => vtxo.code === code);
    if (found.length === 0) return [];
    const amount = formatSats(found.reduce((sum, vtxo) => sum + vtxo.amountSats, 0n));
    return [`${plural(found.length, "VTXO")} ${code ?? "in order again"}, ${amount}`];
  });
  return { text: parts.join("; "), paint: vtxos.some(({ code }) => code !== null) ? bad : good };
}

function reason({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${escapeText(code)}: ${escapeText(message, 300)}`;
}
