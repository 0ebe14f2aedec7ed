import type { WalletSalvage } from "heartwood";
import { escapeText } from "./escape.ts";
import { formatCount, plural } from "./format.ts";
import type { Style } from "./style.ts";
import { formatPairs } from "./table.ts";

/** Ranges of records that are listed one by one. */
const RANGES_SHOWN = 10;
const GUESSED = "; a guess, since HEAD does not say where the log ended: if more were, addresses can be given out again";

/** What a salvage kept and lost, for people. */
export function formatSalvage(salvage: WalletSalvage, directory: string, style: Style): string[] {
  const { kept, keyGap, damage, notGivenBack, isEndKnown } = salvage;
  return [
    ...formatPairs(
      [
        ["made", escapeText(directory)],
        ["log", kept.logId],
        ["kept", style.good(`${plural(Number(kept.seq), "record")}, ${plural(Number(kept.commit), "commit")}`)],
        ["lost", formatLost(salvage, style)],
        ["keys", `${formatCount(keyGap)} passed over, since they may have been given out${isEndKnown ? "" : GUESSED}`],
      ],
      style,
    ),
    "",
    style.strong("Damage"),
    ...damage.map(({ code, message }) => `  ${style.bad(code)}: ${escapeText(message, 300)}`),
    ...strandedLines(salvage, style),
    "",
    style.strong("What neither the server nor the mailbox gives back"),
    ...notGivenBack.map((line) => `  ${line}`),
    "",
    `A program that follows its events goes on from record ${kept.seq + 1n}, and knows payments again by their movement.`,
    `The wallet is ${style.notice("reconciling")} until it was connected once: heartwood sync ${escapeText(directory)} --mnemonic-file FILE`,
  ];
}

function formatLost({ lost, isEndKnown }: WalletSalvage, style: Style): string {
  const more = isEndKnown ? "" : "; there may have been more, since HEAD does not say where the log ended";
  if (lost === undefined) return isEndKnown ? style.good("nothing") : style.notice(`nothing that is known of${more}`);
  return style.bad(`${formatCount(lost.to - lost.from + 1n)} records, ${lost.from} to ${lost.to}${more}`);
}

function strandedLines({ stranded }: WalletSalvage, style: Style): string[] {
  if (stranded.length === 0) return [];
  const ranges = stranded.slice(0, RANGES_SHOWN).map(({ from, to, kinds }) => {
    const what = kinds.map(({ machine, type, records }) => `${formatCount(records)} ${escapeText(machine)} ${escapeText(type)}`);
    return `  ${from === to ? `record ${from}` : `records ${from} to ${to}`}: ${what.join(", ")}`;
  });
  const more = stranded.length - ranges.length;
  return [
    "",
    style.strong("Readable behind the damage, not kept, still in the old directory"),
    ...ranges,
    ...(more > 0 ? [`  and ${plural(more, "range")} more`] : []),
  ];
}
