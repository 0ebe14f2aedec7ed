import type { RecoveryReport, WalletStatus } from "heartwood";
import { escapeText } from "./escape.ts";
import { formatCount, formatSats, plural } from "./format.ts";
import type { Style } from "./style.ts";
import { formatPairs } from "./table.ts";

/** Ids that are listed one by one. */
const IDS_SHOWN = 20;

/** What the ids of a backup turned out to be, in one line. */
export function formatRestoreCounts({ ids, credited, spent, superseded, held, unresolved }: RecoveryReport): string {
  const parts = [
    `${formatCount(credited)} restored`,
    `${formatCount(spent + superseded)} spent`,
    `${formatCount(held)} in quarantine`,
    ...(unresolved === 0 ? [] : [`${formatCount(unresolved)} not restored`]),
  ];
  return `${plural(ids, "VTXO")} in the backup: ${parts.join(", ")}`;
}

/** What came of a restore, for people; undefined members of the report are not there yet. */
export function formatRestore(status: WalletStatus, directory: string, style: Style): string[] {
  const { balance, restore, fingerprint, network } = status;
  const report = restore?.report ?? null;
  const state = restore?.state ?? "restored";
  const isComplete = restore?.isComplete === true;
  return [
    ...formatPairs(
      [
        ["wallet", `${escapeText(fingerprint)} on ${escapeText(network)}, in ${escapeText(directory)}`],
        ["restore", isComplete ? style.good("complete") : style.bad(state === "restored" ? "not complete" : "under way")],
        ["backup", report === null ? undefined : formatRestoreCounts(report)],
        ["malformed", report === null || report.malformed === 0 ? undefined : style.bad(formatCount(report.malformed))],
        ["balance", style.strong(style.good(formatSats(balance.totalSats)))],
      ],
      style,
    ),
    ...(report === null || report.unresolved === 0 ? [] : unresolvedLines(report, style)),
    ...(state === "restored"
      ? []
      : ["", "What has no answer is asked about again: run the same command, or sync. With --as-is it goes on without."]),
  ];
}

function unresolvedLines({ unresolvedIds, unresolved }: RecoveryReport, style: Style): string[] {
  const shown = unresolvedIds.slice(0, IDS_SHOWN);
  const more = unresolved - shown.length;
  return [
    "",
    style.strong("Not restored"),
    ...shown.map(({ id, code }) => `  ${escapeText(id)}  ${style.bad(escapeText(code))}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}
